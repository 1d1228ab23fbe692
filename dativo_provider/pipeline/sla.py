"""Promises about many runs, computed from the records of runs: enough rows a day, runs that succeed, rows that come.

They never hold rows back: a run that is blocked because earlier ones failed would break the promise once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dativo_provider.errors import DativoError
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.notices import Notice
from dativo_provider.model.run import Plan, RunRecord
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.notices import About, notify
from dativo_provider.vocabulary import Outcome

if TYPE_CHECKING:
    from dativo_provider.store import Store

__all__ = ["Kept", "promises", "standing", "watch_freshness"]

AVAILABILITY_DAYS = 30
_GOOD, _BAD = ("published", "nothing_new"), ("failed", "blocked")


@dataclass(frozen=True)
class Kept:
    """How one promise stands. `actual` is None where nobody knows yet."""

    stream: str
    promise: str
    promised: float
    actual: float | None
    outcome: Outcome
    message: str


def promises(plan: Plan, books: Books, ctx: RunContext) -> tuple[CheckResult, ...]:
    """What the contract promises about completeness and availability, with the rows of this run, as results."""
    if not plan.job.sla or plan.lane.kind != "live" or plan.request.dry_run:
        return ()
    try:
        records = _records(plan.job, plan.stream, ctx)
    except DativoError as problem:
        found = [_unknown(plan, name, str(problem.message)) for name in _wanted(plan.job)]
    else:
        before = [record for record in records if record.plan_id != plan.plan_id]
        found = [*_completeness(plan.job, plan.stream, before, ctx.now(), books.accepted),
                 *_availability(plan.job, plan.stream, before)]  # fmt: skip
    return tuple(map(_result, found))


def standing(job: JobSpec, ctx: RunContext) -> list[Kept]:
    """Every promise of every stream as it stands now. Raises what the store raises."""
    found: list[Kept] = []
    for stream in job.streams:
        records = _records(job, stream.name, ctx)
        found += _freshness(job, stream.name, records, ctx)
        found += _completeness(job, stream.name, records, ctx.now(), 0)
        found += _availability(job, stream.name, records)
    return found


def watch_freshness(job: JobSpec, ctx: RunContext) -> list[Kept]:
    """Streams whose rows are older than promised; the job's channels are told once per window, and when they come."""
    found = [kept for kept in standing(job, ctx) if kept.promise == "freshness"]
    for kept in found if job.notification.channels else ():
        key, title, now = "sla.freshness", "rows keep coming", ctx.now()
        wrong = [Notice(key, title, kept.message)] if kept.outcome == "failed" else []
        fine = {key: title} if kept.outcome == "passed" else {}
        it = About(job, kept.stream, f"freshness-{now:%Y%m%dT%H%M%S}", now.isoformat(), {})
        notify(it, (wrong, fine), job.notification, ctx)
    return [kept for kept in found if kept.outcome == "failed"]


def _wanted(job: JobSpec) -> Iterator[str]:
    if job.sla.min_records_per_day is not None:
        yield "completeness"
    if job.sla.uptime_percentage is not None:
        yield "availability"


def _unknown(plan: Plan, promise: str, why: str) -> Kept:
    return Kept(plan.stream, promise, 0, None, "not_evaluated", f"the records of runs cannot be read: {why}")


def _records(job: JobSpec, stream: str, ctx: RunContext) -> list[RunRecord]:
    """Of live runs: a range that is read again, or a replay, brings no new rows and is nobody's delivery."""
    from dativo_provider.store import open_store

    since = (ctx.now() - timedelta(days=AVAILABILITY_DAYS)).isoformat()
    with open_store(ctx) as store:
        found = store.runs(job.tenant, job.name, stream, limit=None, since=since)
    return [record for record in found if record.lane == "live"]


def _freshness(job: JobSpec, stream: str, records: Sequence[RunRecord], ctx: RunContext) -> Iterator[Kept]:
    """By the newest value that the last freshness check saw, else by when rows came last."""
    promised = job.sla.max_age_hours
    if promised is None:
        return
    from dativo_provider.store import open_store

    with open_store(ctx) as store:
        newest = _newest(records, store, _freshness_checks(job, stream))
        known = records or store.runs(job.tenant, job.name, stream, limit=1)
    if newest is None:
        began = min((datetime.fromisoformat(record.started_at) for record in known), default=None)
        late = began is not None and ctx.now() - began > timedelta(hours=promised)  # else its first rows may be coming
        yield Kept(stream, "freshness", promised, None, "failed" if late else "not_evaluated", _NEVER)
        return
    age = (ctx.now() - newest).total_seconds() / 3600
    message = f"the newest row is {age:.1f} hours old, at most {promised:g} are promised"
    yield Kept(stream, "freshness", promised, round(age, 2), "passed" if age <= promised else "failed", message)


_NEVER = f"no run brought a row in {AVAILABILITY_DAYS} days"


def _freshness_checks(job: JobSpec, stream: str) -> frozenset[str]:
    """Ids of the stream's checks of freshness, as far as they can be known without the source."""
    from dativo_provider.quality.frontends.compile import compile_rules

    contract = job.stream(stream).contract
    made = tuple(Field(each.column, each.type or "string") for each in job.transforms)
    fields = (*contract.fields, *made) if contract.fields else ()
    try:
        checks = compile_rules(contract.rules, fields, cursor_field=job.stream(stream).incremental.cursor_field)
    except DativoError:
        return frozenset()
    return frozenset(check.id for check in checks if check.kind == "freshness")


def _newest(records: Sequence[RunRecord], store: Store, checks: frozenset[str]) -> datetime | None:
    published = next((record for record in records if record.status == "published"), None)
    if published is None:
        return None
    came = datetime.fromisoformat(published.started_at)
    results = store.results(published.plan_id)
    seen = [each.value for each in results if each.check_id in checks and isinstance(each.value, str)]
    return min(map(datetime.fromisoformat, seen), default=came)


def _completeness(
    job: JobSpec, stream: str, records: Sequence[RunRecord], now: datetime, arriving: int
) -> Iterator[Kept]:
    """Accepted rows of the last 24 hours. Before the first day is over, too few rows say nothing."""
    promised = job.sla.min_records_per_day
    if promised is None:
        return
    day = now - timedelta(days=1)
    recent = [record for record in records if datetime.fromisoformat(record.started_at) >= day]
    rows = arriving + sum(record.books.accepted for record in recent if record.status == "published")
    young = len(recent) == len(records)
    outcome: Outcome = "passed" if rows >= promised else "skipped" if young else "failed"
    message = f"{rows} rows in 24 hours, at least {promised} are promised"
    yield Kept(stream, "completeness", promised, rows, outcome, message + ("; the first day is not over" * young))


def _availability(job: JobSpec, stream: str, records: Sequence[RunRecord]) -> Iterator[Kept]:
    """Runs of the last 30 days that succeeded, of those that ended. Several attempts at one run are one."""
    promised = job.sla.uptime_percentage
    if promised is None:
        return
    ended: dict[str, bool] = {}
    for record in records:
        if record.status in (*_GOOD, *_BAD):
            ended[record.run_id] = ended.get(record.run_id, False) or record.status in _GOOD
    if not ended:
        yield Kept(stream, "availability", promised, None, "skipped", "no run has ended yet")
        return
    share = 100 * sum(ended.values()) / len(ended)
    message = f"{sum(ended.values())} of {len(ended)} runs succeeded ({share:.1f} %), {promised:g} % are promised"
    yield Kept(stream, "availability", promised, round(share, 2), "passed" if share >= promised else "failed", message)


def _result(kept: Kept) -> CheckResult:
    return CheckResult(
        check_id=f"sla.{kept.promise}",
        name=f"promise of {kept.promise}",
        outcome=kept.outcome,
        evaluated_by="none" if kept.actual is None else "stats",
        severity="warning" if kept.actual is None else "error",
        on_violation="warn",
        value=kept.actual,
        message=kept.message,
    )
