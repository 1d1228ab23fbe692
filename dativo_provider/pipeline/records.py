"""What the metadata store is told about a run. It may be late, it never stops a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from dativo_provider.errors import DativoError
from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import Manifest, Plan, Published, RunRecord, RunRequest
from dativo_provider.observability.metrics import run_ended
from dativo_provider.vocabulary import RunStatus

if TYPE_CHECKING:
    from dativo_provider.store import BestEffort, MetricPoint, QuarantineEntry

__all__ = ["begin", "failed", "history", "not_planned", "notes_of", "published", "record_of", "record_verdict",
    "rejected", "total_books", "waiting",
]  # fmt: skip


def total_books(manifests: Sequence[Manifest]) -> Books:
    return sum((manifest.books for manifest in manifests), Books())


def notes_of(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """What readers want the operator to know, once each: an API whose end is announced, for one."""
    return tuple({str(note): None for manifest in manifests for note in manifest.read.detail.get("notes", ())})


def record_of(plan: Plan, status: RunStatus) -> RunRecord:
    """What a plan alone tells of its run."""
    return RunRecord(
        plan_id=plan.plan_id,
        run_id=plan.run_id,
        tenant=plan.job.tenant,
        job=plan.job.name,
        stream=plan.stream,
        status=status,
        started_at=plan.created_at,
        table=plan.table,
        window=plan.window,
        contract_version=plan.spec.contract.version,
        folder=plan.folder,
        lane=plan.lane.kind,
        drift=plan.drift,
        table_changes=plan.table_changes,
    )


def _store(plan: Plan, ctx: RunContext) -> BestEffort | None:
    """None for a dry run, which leaves no trace."""
    from dativo_provider.store import open_store

    return None if plan.request.dry_run else open_store(ctx)


def begin(plan: Plan, ctx: RunContext) -> None:
    if store := _store(plan, ctx):
        store.begin(record_of(plan, "running"))


def history(plan: Plan, ctx: RunContext) -> Callable[[str, int], Sequence[MetricPoint]]:
    """What published runs of the stream left of a metric, newest first. A store that does not answer is asked once;
    then this raises `NoHistory`."""
    from dativo_provider.quality.metrics.base import NoHistory
    from dativo_provider.store import StreamKey, open_store

    store, key = open_store(ctx), StreamKey(plan.job.tenant, plan.job.name, plan.stream)
    away: list[NoHistory] = []

    @cache
    def read(metric: str, most: int) -> Sequence[MetricPoint]:
        if away:
            raise away[0]
        try:
            return store.history(key, metric, most)
        except DativoError as problem:
            ctx.log.warning("the history of this stream cannot be read: %s", problem)
            away.append(NoHistory("the metadata store does not answer, and it alone has the history of this stream"))
            raise away[0] from problem

    return read


def record_verdict(plan: Plan, verdict: Verdict, books: Books, ctx: RunContext) -> None:
    if store := _store(plan, ctx):
        store.record_results(plan.plan_id, verdict.results)
        if not verdict.publishes:
            store.finish(_finished(plan, "blocked", ctx, books=books, verdict=verdict))


def published(plan: Plan, outcome: Published, verdict: Verdict, manifests: Sequence[Manifest], ctx: RunContext) -> None:
    books = total_books(manifests)
    if store := _store(plan, ctx):
        status: RunStatus = "published" if books.extracted or outcome.deleted else "nothing_new"
        record = _finished(plan, status, ctx, books=books, verdict=verdict)
        record = replace(record, window=replace(plan.window, notes=(*plan.window.notes, *notes_of(manifests))))
        store.finish(replace(record, snapshot_id=outcome.snapshot_id, decided_by=outcome.decided_by))
        if books.left_out:
            store.record_quarantine(_quarantined(plan, books))
    if outcome.outcome == "committed":
        written = sum(file.bytes for manifest in manifests for file in (*manifest.files, *manifest.quarantine))
        storage = plan.table_location.partition(":")[0]
        run_ended(ctx.metrics, ctx.labels, books, _seconds(plan, ctx), written=written, storage=storage)


def waiting(plan: Plan, verdict: Verdict, manifests: Sequence[Manifest], ctx: RunContext) -> None:
    if store := _store(plan, ctx):
        books = total_books(manifests)
        store.finish(_finished(plan, "awaiting_approval", ctx, books=books, verdict=verdict))


def rejected(plan: Plan, by: str, ctx: RunContext) -> None:
    if store := _store(plan, ctx):
        store.finish(replace(_finished(plan, "rejected", ctx), decided_by=by))


def failed(plan: Plan, error: BaseException, ctx: RunContext) -> None:
    if store := _store(plan, ctx):
        status: RunStatus = "cancelled" if ctx.cancelled.is_set() else "failed"
        facts = error.to_dict() if isinstance(error, DativoError) else {"error_type": type(error).__name__}
        store.finish(replace(_finished(plan, status, ctx), error=facts))
    code = error.code if isinstance(error, DativoError) else type(error).__name__
    run_ended(ctx.metrics, ctx.labels, Books(), _seconds(plan, ctx), error=code)


@contextmanager
def not_planned(job: JobSpec, stream: str, plan_id: str, request: RunRequest, ctx: RunContext) -> Iterator[None]:
    """A run that fails before it has a plan is recorded too: wrong passwords are found in `dativo runs`."""
    started = ctx.now().isoformat()
    try:
        yield
    except DativoError as error:
        if not request.dry_run:
            _record_unplanned(job, stream, plan_id, request, started, error, ctx)
        raise


def _record_unplanned(
    job: JobSpec, stream: str, plan_id: str, request: RunRequest, started: str, error: DativoError, ctx: RunContext
) -> None:
    from dativo_provider.store import open_store

    record = RunRecord(
        plan_id=plan_id,
        run_id=request.run_id or plan_id,
        tenant=job.tenant,
        job=job.name,
        stream=stream,
        status="failed",
        started_at=started,
        finished_at=ctx.now().isoformat(),
        contract_version=job.stream(stream).contract.version,
        error=error.to_dict(),
    )
    open_store(ctx).finish(record)


def _quarantined(plan: Plan, books: Books) -> QuarantineEntry:
    from dativo_provider.quality.quarantine import expires_at
    from dativo_provider.store import QuarantineEntry, StreamKey

    return QuarantineEntry(
        plan_id=plan.plan_id,
        stream=StreamKey(plan.job.tenant, plan.job.name, plan.stream),
        table=plan.quarantine_table,
        at=plan.created_at,
        rows=books.left_out,
        reasons=books.reasons,
        expires_at=expires_at(plan).isoformat(),
    )


def _seconds(plan: Plan, ctx: RunContext) -> float:
    return (ctx.now() - datetime.fromisoformat(plan.created_at)).total_seconds()


def _finished(
    plan: Plan, status: RunStatus, ctx: RunContext, books: Books | None = None, verdict: Verdict | None = None
) -> RunRecord:
    record = record_of(plan, status)
    return replace(record, finished_at=ctx.now().isoformat(), books=books or Books(), verdict=verdict)
