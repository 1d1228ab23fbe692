"""audit: hold the staged files against the dataset checks and decide, once, what happens to the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dativo_provider.errors import ContractViolation, InternalError
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec, Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.target import Target
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.notices import tell_verdict
from dativo_provider.pipeline.numbers import leave_profile, leave_score
from dativo_provider.pipeline.records import record_verdict, total_books
from dativo_provider.pipeline.repeats import set_repeats_aside
from dativo_provider.pipeline.report import leave_report
from dativo_provider.pipeline.scene import scene_of
from dativo_provider.pipeline.sla import promises
from dativo_provider.pipeline.workplace import open_run

__all__ = ["audit", "final_manifests", "judge"]


def audit(plan_uri: str, ctx: RunContext) -> Verdict:
    """The verdict, written beside the plan. Raises `ContractViolation` when it is `block`."""
    folder, plan, target = open_run(plan_uri, ctx)
    staged = final_manifests(folder, plan)
    _count(plan, staged, total_books(staged))
    unrepeated = set_repeats_aside(folder, plan, staged, target, ctx)
    manifests = final_manifests(folder, plan)
    books = total_books(manifests)
    _count(plan, manifests, books)
    verdict = judge(plan, manifests, books, target, ctx, unrepeated)
    folder.write_verdict(verdict)
    record_verdict(plan, verdict, books, ctx)
    leave_score(plan, verdict, ctx)
    leave_profile(folder, plan, manifests, books, target, ctx)
    ctx.event("validation_errors" if books.left_out else "validation_filtered", "audited", decision=verdict.decision)
    if not verdict.publishes:
        tell_verdict(plan, verdict, ctx)
        leave_report(folder, plan, ctx)
        raise blocked(plan, verdict)
    return verdict


def final_manifests(folder: RunFolder, plan: Plan) -> list[Manifest]:
    """The manifests publish works from: what audit left without repeated keys, else the transform step's where there
    is one, else the slices'.

    Their `read` results are always the slices' own: cursors come from reading.
    """
    slices = folder.manifests(plan)
    made = folder.without_repeats() or folder.transformed()
    if made is None and not plan.job.whole_run:
        return slices
    if made is None:
        raise InternalError("the transform step has not run", where=plan.folder, remedy="run the transform task")
    return [made, *(Manifest(m.plan_id, m.slice, m.attempt, read=m.read, seconds=m.seconds) for m in slices)]


def _count(plan: Plan, manifests: Sequence[Manifest], books: Books) -> None:
    """The books against the files: what was counted is what will be published."""
    books.check(plan.folder)
    staged = sum(file.rows for manifest in manifests for file in manifest.files) + sum(m.deletes for m in manifests)
    aside = sum(file.rows for manifest in manifests for file in manifest.quarantine)
    if staged != books.produced or aside != books.left_out:
        raise InternalError(
            f"{books.produced} rows accepted and {books.left_out} set aside, "
            f"but the staged files hold {staged} and {aside}",
            where=plan.folder,
        )


def judge(
    plan: Plan,
    manifests: Sequence[Manifest],
    books: Books,
    target: Target,
    ctx: RunContext,
    known: Sequence[CheckResult] = (),
) -> Verdict:
    """`known` are results of dataset checks that need not be evaluated again."""
    from dativo_provider.quality.results import merge
    from dativo_provider.quality.verdict import decide

    told = [*(manifest.results for manifest in manifests), known]
    judged = {result.check_id for part in told for result in part}
    checks = [check for check in plan.checks if check.scope == "dataset" and check.id not in judged]
    results = merge([*told, _dataset(plan, checks, manifests, books, target, ctx), promises(plan, books, ctx)])
    verdict = decide(plan, results, books, ctx.now())
    reasons = tuple(_refusals(plan, books, target))
    if reasons:
        return replace(verdict, decision="block", reasons=(*reasons, *verdict.reasons))
    return verdict


def _dataset(
    plan: Plan,
    checks: Sequence[CheckSpec],
    manifests: Sequence[Manifest],
    books: Books,
    target: Target,
    ctx: RunContext,
) -> tuple[CheckResult, ...]:
    from dativo_provider.quality.scan import evaluate

    return evaluate(checks, scene_of(plan, manifests, books, target, ctx))


def _refusals(plan: Plan, books: Books, target: Target) -> Iterable[str]:
    """Outcomes that are errors whatever the contract says (ARCHITECTURE 4.7)."""
    replayed = plan.lane.kind == "replay"  # rows that fail again go back to the inbox, with their new reasons
    if books.extracted and books.left_out == books.extracted and not replayed:
        yield f"all {books.extracted} rows that were read were set aside; none is left to publish"
    replaces = TRAITS[plan.job.target.mode].reads_all and not plan.job.target.allow_empty_replace
    if replaces and not books.extracted and target.has_rows(plan):
        yield (
            f"{plan.spec.object} gave no row, and replacing {plan.table} would empty it; "
            "set target.allow_empty_replace: true if that is meant"
        )


def _or_accept(plan: Plan, verdict: Verdict) -> str:
    from dativo_provider.quality.metrics.measured import leaves_its_history

    if not leaves_its_history(verdict):
        return ""
    return (
        f"; if this is normal from now on: dativo quality accept --config {plan.job.path or 'JOB'} "
        f"--stream {plan.stream} --reason '…', then run again"
    )


def blocked(plan: Plan, verdict: Verdict) -> ContractViolation:
    return ContractViolation(
        "the run is blocked: " + "; ".join(verdict.reasons),
        where=f"{plan.job.dag_id} {plan.stream} (contract {plan.spec.contract.name} {plan.spec.contract.version})",
        remedy=f"look at the rows: dativo query --config {plan.job.path or 'JOB'} --run {plan.plan_id} 'SELECT …'"
        + _or_accept(plan, verdict),
        plan_id=plan.plan_id,
    )
