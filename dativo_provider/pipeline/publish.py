"""publish: one atomic commit of files and state, then the quarantine, then the source's acknowledgement."""

from __future__ import annotations

from dataclasses import replace

from dativo_provider.connectors.registry import connector
from dativo_provider.errors import ContractViolation
from dativo_provider.model.context import RunContext
from dativo_provider.model.reader import Reader
from dativo_provider.model.run import Manifest, Plan, Published
from dativo_provider.model.stream import Cursor
from dativo_provider.model.target import Target
from dativo_provider.pipeline import records
from dativo_provider.pipeline.audit import blocked, final_manifests
from dativo_provider.pipeline.base_cursor import base_cursor
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.lookups import release_lookups
from dativo_provider.pipeline.notices import tell_verdict
from dativo_provider.pipeline.numbers import leave_numbers
from dativo_provider.pipeline.report import leave_report
from dativo_provider.pipeline.workplace import open_run, reading

__all__ = ["commit", "fail_if_stale", "next_cursor", "publish", "settle"]


def publish(plan_uri: str, ctx: RunContext) -> Published:
    """Idempotent by plan id. Raises `ContractViolation` for a blocked run and, after its rows are published, for a
    stale one; `Fenced`, `StorageUnavailable`."""
    outcome = commit(plan_uri, ctx)
    fail_if_stale(plan_uri, ctx)
    return outcome


def fail_if_stale(plan_uri: str, ctx: RunContext) -> None:
    """Raises `ContractViolation` when the verdict says that the run fails although its rows are published."""
    folder, plan, _target = open_run(plan_uri, ctx)
    if late := folder.verdict().fails_after:
        raise ContractViolation(
            "the rows are published, but the run fails: " + "; ".join(late),
            where=f"{plan.table} (contract {plan.spec.contract.name} {plan.spec.contract.version})",
            remedy="find out why the source sends nothing newer; the next run starts where this one ended",
            plan_id=plan.plan_id,
            published=True,
        )


def commit(plan_uri: str, ctx: RunContext) -> Published:
    folder, plan, target = open_run(plan_uri, ctx)
    verdict = folder.verdict()
    if not verdict.publishes:
        raise blocked(plan, verdict)
    manifests = final_manifests(folder, plan)
    cursor = next_cursor(plan, manifests, target)
    _claim(plan, ctx)
    try:
        outcome = target.publish(plan, manifests, cursor)
    except ContractViolation as refused:  # only the table itself could tell
        verdict = replace(verdict, decision="block", reasons=(*verdict.reasons, refused.message))
        folder.write_verdict(verdict)
        records.record_verdict(plan, verdict, records.total_books(manifests), ctx)
        tell_verdict(plan, verdict, ctx)
        leave_report(folder, plan, ctx)
        raise
    if outcome.outcome == "waiting":
        folder.write_published(outcome)
        records.waiting(plan, verdict, manifests, ctx)
        ctx.event("job_finished", f"{plan.job.dag_id} {plan.stream} waits for its approval", plan_id=plan.plan_id)
    else:
        settle(folder, plan, manifests, cursor, outcome, ctx)
    return outcome


def _claim(plan: Plan, ctx: RunContext) -> None:
    """Before the main commit, which alone makes it count."""
    if plan.request.replay:
        from dativo_provider.pipeline.inbox.claims import claim

        claim(plan, ctx)


def settle(
    folder: RunFolder, plan: Plan, manifests: list[Manifest], cursor: Cursor | None, outcome: Published, ctx: RunContext
) -> None:
    """What follows once the rows are on main: the acknowledgement, and the records of it."""
    ctx.event("commit_success", f"{outcome.outcome}: {plan.table}", snapshot_id=outcome.snapshot_id)
    folder.write_published(outcome)
    release_lookups(plan, folder.store)
    _acknowledge(plan, cursor, ctx)
    records.published(plan, outcome, folder.verdict(), manifests, ctx)
    leave_numbers(folder, plan, ctx)
    books = records.total_books(manifests)
    ctx.event("job_finished", f"{plan.job.dag_id} {plan.stream}", accepted=books.accepted, left_out=books.left_out)


def next_cursor(plan: Plan, manifests: list[Manifest], target: Target) -> Cursor | None:
    """The reader's own rule, applied to what its slices came to."""
    results = [manifest.read for manifest in manifests if manifest.slice < len(plan.slices)]
    reader: type[Reader] = connector(plan.job.source.connector).load("source")
    return reader.next_cursor(plan.window, results, base_cursor(plan, target))


def _acknowledge(plan: Plan, cursor: Cursor | None, ctx: RunContext) -> None:
    if not connector(plan.job.source.connector).capabilities.acknowledges:
        return
    with reading(plan.job, ctx) as reader:
        reader.committed(cursor)
