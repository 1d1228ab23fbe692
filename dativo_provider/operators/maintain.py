"""maintain: care of one job's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dativo_provider.errors import DativoError, StorageUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.maintenance import Upkeep
from dativo_provider.operators.job_file import JobFileOperator

__all__ = ["MaintainOperator"]


class MaintainOperator(JobFileOperator):
    """Reads the job at `file`, relative to the loader's folder, as it is now. Returns what was done, in counts.

    Raises `StorageUnavailable` when a job at a table failed, after all others were done."""

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        from dativo_provider.pipeline.maintain import maintain

        job = self.read_job(ctx, context)
        params = context["params"]
        found = maintain(job, ctx, params.get("only") or (), dry_run=bool(params.get("dry_run")))
        for each in found:
            ctx.log.info("%s %s: %s %s", each.table, each.job, each.outcome, each.note)
        if failed := [each for each in found if each.outcome == "failed"]:
            raise _failed(failed)
        return [asdict(each) for each in found]


def _failed(found: list[Upkeep]) -> DativoError:
    return StorageUnavailable(
        "; ".join(f"{each.job}: {each.note}" for each in found),
        where=found[0].table,
        remedy="run maintenance again: what was done stays done, and nothing is half done",
    )
