"""freshness: whether rows keep coming, asked when no run is there to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.errors import ConfigurationError, ContractViolation
from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import StepOperator
from dativo_provider.operators.context import loader_folder

__all__ = ["FreshnessOperator"]


class FreshnessOperator(StepOperator):
    """Reads the job at `file`, relative to the loader's folder, as it is now. Tells the job's channels and raises
    `ContractViolation` when the rows of a stream are older than promised."""

    def __init__(self, *, file: str, environment: str = "", mode: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file, self.environment, self.mode = file, environment, mode

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.config import load_job
        from dativo_provider.pipeline.sla import watch_freshness

        folder = loader_folder(context)
        if folder is None:
            raise ConfigurationError("the folder of the loader is not known", where=self.file)
        job = load_job(
            folder / self.file,
            root=folder,
            environment=self.environment,
            mode="cloud" if self.mode == "cloud" else "self_hosted",
            variables=ctx.variables,
        )
        if stale := watch_freshness(job, ctx):
            raise ContractViolation(
                "; ".join(f"{kept.stream}: {kept.message}" for kept in stale),
                where=job.dag_id,
                remedy="see why no run brings rows: is its DAG paused, do its runs fail, does the source stand still?",
            )
