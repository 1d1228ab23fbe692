"""replay: rows of a quarantine inbox, chosen in the form of the run, take the way of every row again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.operators.job_file import JobFileOperator

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from dativo_provider.model.inbox import Selection
    from dativo_provider.operators.lineage import Facts
    from dativo_provider.pipeline.inbox import Box
    from dativo_provider.pipeline.inbox.replay import Replayed

__all__ = ["ReplayOperator"]


class ReplayOperator(JobFileOperator):
    """`jobs` are job files by name, relative to the loader's folder. The run's params say which one is meant, and which
    of its rows. Its outlet is an asset alias: whoever waits for the table is woken when rows came into it.

    Returns counts. Raises the replay's own error; the rows are in the inbox as before then.
    """

    _facts: Facts | None = None

    def __init__(self, *, jobs: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(file="", **kwargs)
        self.jobs = dict(jobs)

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> dict[str, Any]:
        from dativo_provider.pipeline.inbox import open_box
        from dativo_provider.pipeline.state import chosen_one

        params = context["params"]
        self.file = self._file(str(params.get("job") or ""))
        job = self.read_job(ctx, context)
        box = open_box(job, chosen_one(job, params.get("stream") or "").name, ctx)
        if params.get("dry_run"):
            return _look(box, _selection(params))
        done = _replay(box, params, str(getattr(context["dag_run"], "triggering_user_name", None) or "Airflow"))
        told = _told(done)
        ctx.log.info("replayed: %s", told)
        if done.report and done.report.error:
            raise done.report.error
        self._announce(box, done, context)
        return told

    def _file(self, name: str) -> str:
        if name not in self.jobs:
            raise ConfigurationError(
                f"there is no job '{name}'" if name else "no job is named",
                remedy=f"choose one of: {', '.join(self.jobs)}",
            )
        return self.jobs[name]

    def _announce(self, box: Box, done: Replayed, context: Mapping[str, Any]) -> None:
        from dativo_provider.hooks.assets import table_asset
        from dativo_provider.operators.lineage import gather
        from dativo_provider.operators.publish import changes, event_facts

        published = done.report.published if done.report else None
        if published is None or done.report is None or done.report.plan is None:
            return
        catalog = box.ctx.settings.catalog
        if changes(published):
            table = table_asset(box.job, box.spec, catalog=catalog.name, warehouse=catalog.warehouse)
            for alias in self.outlets:
                context["outlet_events"][alias].add(table, extra=event_facts(published))
        self._facts = gather(done.report.plan.path, published, box.ctx)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        from dativo_provider.operators.lineage import to_openlineage

        return to_openlineage(self._facts) if self._facts else None


def _selection(params: Mapping[str, Any]) -> Selection:
    from dativo_provider.model.inbox import OPEN, Selection

    statuses = tuple(status for status in OPEN if params.get("status") in (status, "open", None))
    return Selection(statuses, run=params.get("run") or "", check=params.get("cause") or "")


def _look(box: Box, selection: Selection) -> dict[str, Any]:
    """What is in the inbox, by cause; the names are those of `cause`."""
    from dativo_provider.pipeline.inbox import causes

    found = {cause.reason: cause.rows for cause in causes(box.job, box.ctx, box.spec.name, selection)}
    box.ctx.log.info("rows in the inbox by cause: %s", found)
    return {"causes": found}


def _replay(box: Box, params: Mapping[str, Any], by: str) -> Replayed:
    from dativo_provider.pipeline.inbox.replay import replay

    return replay(
        box,
        _selection(params),
        by,
        skip_checks=params.get("skip_checks") or (),
        overwrite=bool(params.get("overwrite")),
        limit=int(params.get("limit") or 0),
    )


def _told(done: Replayed) -> dict[str, Any]:
    """Counts and names; never a value of a row."""
    told: dict[str, Any] = {"chosen": done.chosen, "skipped": done.skipped}
    if done.report is None:
        return told
    told |= {"accepted": done.report.books.accepted, "set_aside_again": done.report.books.left_out}
    if done.report.plan:
        told["plan"] = done.report.plan.plan_id
    if published := done.report.published:
        told |= {"outcome": published.outcome, "inserted": published.inserted, "updated": published.updated}
    return told
