"""What people are told about a run: checks that fail, or that nobody could evaluate, and that they pass again.

Once per stream and run, after its records are written. Nothing here may fail a run. Backfills, replays and dry runs
tell nobody: whoever started them looks at them, and their rows are not the ones people rely on today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dativo_provider.model.checks import CheckResult, Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.notices import Notice, NotificationSpec
from dativo_provider.model.run import Plan
from dativo_provider.notify import compose, read_told, send, sift

__all__ = ["About", "Finding", "about", "notify", "personal_checks", "tell_verdict"]

_BLOCKED = "blocked"
Finding = tuple[Sequence[Notice], Mapping[str, str]]  # what is wrong, and titles by key of what is in order


@dataclass(frozen=True)
class About:
    """What a message is about. `run` names who found it, `at` (ISO) when it began."""

    job: JobSpec
    stream: str
    run: str
    at: str
    facts: Mapping[str, str]


def tell_verdict(plan: Plan, verdict: Verdict, ctx: RunContext) -> None:
    """Tells whom the contract names. Never raises."""
    if plan.lane.kind == "live" and not plan.request.dry_run and plan.job.notification.channels:
        notify(about(plan), _found(plan, verdict), plan.job.notification, ctx)


def about(plan: Plan) -> About:
    return About(plan.job, plan.stream, plan.plan_id, plan.created_at, facts_of(plan))


def notify(it: About, found: Finding, spec: NotificationSpec, ctx: RunContext) -> None:
    """Sends what is due of `found` and remembers it. Never raises."""
    try:
        _notify(it, found, spec, ctx)
    except Exception:
        ctx.log.warning("nobody could be told about %s %s", it.job.dag_id, it.stream, exc_info=True)


def _notify(it: About, found: Finding, spec: NotificationSpec, ctx: RunContext) -> None:
    from dativo_provider.store import StreamKey, open_store

    now, window = ctx.now().timestamp(), spec.window_seconds
    place = StreamKey(it.job.tenant, it.job.name, it.stream)
    with open_store(ctx) as store:
        told = read_told(store, place)
        sent = [notice for group in sift(*found, told, now, window) for notice in _sent(group, it, spec, ctx)]
        store.record_metrics(place, it.run, it.at, told.after(sent, now).to_metrics())


def _sent(notices: Sequence[Notice], it: About, spec: NotificationSpec, ctx: RunContext) -> Sequence[Notice]:
    """All, when at least one channel took them."""
    if not notices:
        return ()
    place = (it.job.tenant, it.job.name, it.stream)
    message = compose(notices, spec, place, ctx.now().isoformat(), it.facts)
    return notices if send(message, spec.channels, it.job.allowed_variables, ctx) else ()


def facts_of(plan: Plan) -> dict[str, str]:
    """What templates may name of a run."""
    return {
        "contract_name": plan.spec.contract.name,
        "contract_version": plan.spec.contract.version if plan.spec.contract.name else "",
        "asset_name": plan.table,
        "run_id": plan.plan_id,
        "quarantine_path": plan.quarantine_table,
    }


def _found(plan: Plan, verdict: Verdict) -> Finding:
    wrong = list(_wrong(plan, verdict))
    if not verdict.publishes and not any(_blocks(result) for result in verdict.results):
        wrong.append(Notice(_BLOCKED, "the run is blocked", "; ".join(verdict.reasons)))
    fine = {result.check_id: result.name for result in verdict.results if _says_something(plan, result)}
    return wrong, fine | ({_BLOCKED: "the run is blocked"} if verdict.publishes else {})


def _blocks(result: CheckResult) -> bool:
    return result.outcome in ("failed", "error", "not_evaluated") and result.severity == "error"


def _wrong(plan: Plan, verdict: Verdict) -> Iterator[Notice]:
    personal = personal_checks(plan)
    for result in verdict.results:
        hidden = result.check_id in personal
        if result.severity == "info":
            continue
        if result.outcome == "failed":
            yield Notice(result.check_id, result.name, _text(result, hidden), result.severity)
        elif result.outcome == "error" or (result.outcome == "not_evaluated" and result.severity == "error"):
            why = "" if hidden else f": {result.message}"
            yield Notice(result.check_id, result.name, f"could not be evaluated{why}", result.severity)


def personal_checks(plan: Plan) -> frozenset[str]:
    """Ids of checks that look at personal data: their messages might quote a value."""
    from dativo_provider.lake.personal import personal_columns

    personal = personal_columns(plan.fields)
    return frozenset(check.id for check in plan.checks if personal.intersection(check.columns))


def _text(result: CheckResult, hidden: bool) -> str:
    """Of a column with personal data only counts: its messages might quote a value."""
    counts = f"{result.failed} of {result.evaluated} rows fail" if result.failed else "fails"
    return counts if hidden else result.message or counts


def _says_something(plan: Plan, result: CheckResult) -> bool:
    """A check that passes because there were no rows says nothing about what failed before."""
    if result.outcome != "passed":
        return False
    check = next((check for check in plan.checks if check.id == result.check_id), None)
    return check is None or check.kind in ("freshness", "row_count") or result.evaluated > 0
