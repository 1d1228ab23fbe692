"""freshness: whether rows keep coming, asked when no run is there to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.errors import ContractViolation
from dativo_provider.model.context import RunContext
from dativo_provider.operators.job_file import JobFileOperator

__all__ = ["FreshnessOperator"]


class FreshnessOperator(JobFileOperator):
    """Reads the job at `file`, relative to the loader's folder, as it is now. Tells the job's channels and raises
    `ContractViolation` when the rows of a stream are older than promised."""

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.pipeline.sla import watch_freshness

        job = self.read_job(ctx, context)
        if stale := watch_freshness(job, ctx):
            raise ContractViolation(
                "; ".join(f"{kept.stream}: {kept.message}" for kept in stale),
                where=job.dag_id,
                remedy="see why no run brings rows: is its DAG paused, do its runs fail, does the source stand still?",
            )
