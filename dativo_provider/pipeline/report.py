"""One run as one HTML page: made for every run, beside its plan, and whenever somebody asks. It never fails a run.

It is made from the metadata store, which outlives the run's folder; without the folder it has no score by column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dativo_provider.errors import DativoError
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Plan, RunRecord
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.workplace import open_folder

if TYPE_CHECKING:
    from dativo_provider.quality.score import Scorecard

__all__ = ["card_of", "leave_report", "plan_of", "report_of", "results_of", "scores"]


def leave_report(folder: RunFolder, plan: Plan, ctx: RunContext) -> None:
    """Writes `report.html` into the run's folder. Never raises."""
    from dativo_provider.store import open_store

    if plan.request.dry_run:
        return
    try:
        record = open_store(ctx).get(plan.plan_id)
        if record is not None:
            folder.write_report(report_of(record, ctx, plan=plan))
    except Exception:
        ctx.log.warning("no report of %s %s was left", plan.job.dag_id, plan.stream, exc_info=True)


def report_of(record: RunRecord, ctx: RunContext, limit: int = 30, plan: Plan | None = None) -> str:
    """The page, with the score of the newest `limit` runs. Raises what the store raises."""
    from dativo_provider.pipeline.notices import personal_checks
    from dativo_provider.quality.evidence.page import page

    plan = plan or plan_of(record, ctx)
    results = results_of(record, ctx)
    hidden = personal_checks(plan) if plan else {result.check_id for result in results}
    points = [(at, value) for at, value, _ in scores(record.tenant, record.job, record.stream, ctx, limit)]
    return page(record, results, card_of(results, plan), points, hidden)


def plan_of(record: RunRecord, ctx: RunContext) -> Plan | None:
    """None where the run's folder cannot be seen any more."""
    try:
        return open_folder(f"{record.folder}/plan.json", ctx).plan() if record.folder else None
    except DativoError:
        return None


def results_of(record: RunRecord, ctx: RunContext) -> tuple[CheckResult, ...]:
    from dativo_provider.store import open_store

    return record.verdict.results if record.verdict else open_store(ctx).results(record.plan_id)


def card_of(results: tuple[CheckResult, ...], plan: Plan | None) -> Scorecard:
    """Without a plan it has neither dimensions nor columns."""
    from dativo_provider.quality.score import scorecard

    return scorecard(results, plan.checks if plan else (), plan.fields if plan else ())


def scores(tenant: str, job: str, stream: str, ctx: RunContext, limit: int) -> list[tuple[str, float, str]]:
    """(time, score, run) of the newest `limit` runs, oldest first."""
    from dativo_provider.store import StreamKey, open_store

    points = open_store(ctx).history(StreamKey(tenant, job, stream), "score", limit)
    return [(point.at, point.value, point.plan_id) for point in reversed(points)]
