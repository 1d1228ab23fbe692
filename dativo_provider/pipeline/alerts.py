"""Alert rules of a job, looked at once a stream's rows are published. Nothing here may fail a run.

Every number a rule looks at is kept in the store by run, so that later runs have something to compare with.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from dativo_provider.config.conditions import Term, parse_condition, resolve
from dativo_provider.model.alerts import AlertSpec
from dativo_provider.model.context import RunContext
from dativo_provider.model.notices import Notice
from dativo_provider.model.run import Plan
from dativo_provider.model.target import Target
from dativo_provider.pipeline.audit import final_manifests
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.notices import About, Finding, about, notify
from dativo_provider.pipeline.records import total_books

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.store import Store, StreamKey

__all__ = ["watch"]

_FEWEST_DAYS = 3
_OVER: dict[str, Callable[[list[float]], float]] = {"avg": fmean, "min": min, "max": max, "stddev": pstdev}
Numbers = dict[str, float | None]


def watch(plan: Plan, folder: RunFolder, target: Target, ctx: RunContext) -> None:
    """Looks at every rule of the job for this stream, and tells of breaches. Never raises."""
    if not plan.job.alerts or plan.lane.kind != "live" or plan.request.dry_run:
        return
    published = folder.published()
    if published is None or published.outcome not in ("committed", "already"):
        return
    try:
        _watch(plan, folder, target, ctx)
    except Exception:
        ctx.log.warning("the alert rules of %s %s were not looked at", plan.job.dag_id, plan.stream, exc_info=True)


def _watch(plan: Plan, folder: RunFolder, target: Target, ctx: RunContext) -> None:
    from dativo_provider.store import StreamKey, open_store

    rules = {rule: terms for rule in plan.job.alerts if (terms := _terms(rule, plan)) is not None}
    wanted = {term for terms in rules.values() for term in terms.values()}
    measured = _measured(wanted, plan, folder, target, ctx)
    place = StreamKey(plan.job.tenant, plan.job.name, plan.stream)
    with open_store(ctx) as store:
        history = {term: _trailing(term, store, place, plan) for term in wanted if term.days}
        mine = {name: value for name, value in measured.items() if value is not None and not name.startswith("rows_")}
        if mine:
            store.record_metrics(place, plan.plan_id, plan.created_at, mine)
    for rule, terms in rules.items():
        values = {name: history[term] if term.days else measured.get(term.metric) for name, term in terms.items()}
        _tell(rule, values, _personal(terms, plan), about(plan), ctx)


def _terms(rule: AlertSpec, plan: Plan) -> dict[str, Term] | None:
    """What each name of the condition stands for; None where this stream has no such column."""
    columns = {field.name for field in plan.fields}
    found = {name: resolve(name, columns) for name in parse_condition(rule.condition).names}
    terms = {name: term for name, term in found.items() if term}
    return terms if len(terms) == len(found) else None


def _measured(wanted: set[Term], plan: Plan, folder: RunFolder, target: Target, ctx: RunContext) -> Numbers:
    """Of this run, by metric: the books, and one aggregate over the rows it published."""
    manifests = final_manifests(folder, plan)
    books = total_books(manifests)
    counts = (term.metric for term in wanted if not term.function)
    found: Numbers = {name: float(getattr(books, name.removeprefix("rows_"))) for name in counts}
    terms = {term.metric: term for term in wanted if term.function}
    columns = sorted({term.column for term in terms.values()})
    files = [file for manifest in manifests for file in manifest.files]
    batches = target.read_staged(plan, files, columns) if terms and files else iter(())
    first = next(batches, None)
    return found if first is None else {**found, **_aggregated(terms, first, batches, ctx)}


def _aggregated(
    terms: Mapping[str, Term], first: pa.RecordBatch, batches: Iterator[pa.RecordBatch], ctx: RunContext
) -> Numbers:
    import pyarrow as pa

    from dativo_provider.sql.names import quoted
    from dativo_provider.sql.sandbox import connect

    aggregates = ", ".join(f"{term.function}({quoted(term.column)})::DOUBLE" for term in terms.values())
    database = connect(max(64, ctx.settings.memory_limit_mb // 4), ctx.settings.threads)
    try:
        database.register("staged", pa.RecordBatchReader.from_batches(first.schema, chain([first], batches)))
        row = database.execute(f"SELECT {aggregates} FROM staged").fetchall()[0]
    finally:
        database.close()
    return {name: _finite(value) for name, value in zip(terms, row, strict=True)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _trailing(term: Term, store: Store, place: StreamKey, plan: Plan) -> float | None:
    """Over the whole UTC days before that of the run: each day is the mean of its runs. Days without a run do not
    count; with too few days nobody knows what is usual."""
    today = datetime.fromisoformat(plan.created_at).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    points = store.history(place, term.metric, None, (today - timedelta(days=term.days)).isoformat())
    days: dict[str, list[float]] = defaultdict(list)
    for point in points:
        moment = datetime.fromisoformat(point.at).astimezone(UTC)
        if moment < today:
            days[moment.date().isoformat()].append(point.value)
    if len(days) < min(_FEWEST_DAYS, term.days):
        return None
    return float(_OVER[term.trailing]([fmean(values) for values in days.values()]))


def _personal(terms: Mapping[str, Term], plan: Plan) -> set[str]:
    from dativo_provider.lake.personal import personal_columns

    hidden = personal_columns(plan.fields)
    return {name for name, term in terms.items() if term.column in hidden and term.function != "count"}


def _tell(rule: AlertSpec, values: Numbers, hidden: set[str], it: About, ctx: RunContext) -> None:
    breached = parse_condition(rule.condition).holds(values)
    shown = ", ".join(_shown(name, value, hidden) for name, value in values.items())
    ctx.log.info("alert %s of %s: %s (%s)", rule.name, it.stream, _OUTCOMES[breached], shown)
    found = _finding(rule, breached, shown)
    if found and rule.channels:
        notification = replace(
            it.job.notification, channels=rule.channels, window_seconds=rule.window_seconds, template=""
        )
        notify(it, found, notification, ctx)


_OUTCOMES = {True: "breached", False: "in order", None: "not judged, a value is missing"}


def _finding(rule: AlertSpec, breached: bool | None, shown: str) -> Finding | None:
    key = f"alert:{rule.name}"
    if breached is None:
        return None
    if not breached:
        return (), {key: rule.name}
    about_it = f"{rule.description}: " if rule.description else ""
    return [Notice(key, rule.name, f"{about_it}{rule.condition} ({shown})", rule.severity)], {}


def _shown(name: str, value: float | None, hidden: set[str]) -> str:
    if name in hidden:
        return f"{name} is personal and not shown"
    return f"{name} is unknown" if value is None else f"{name} = {value:,.6g}"
