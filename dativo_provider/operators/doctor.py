"""doctor: checks the deployment as a worker sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import StepOperator
from dativo_provider.operators.context import loader_folder

if TYPE_CHECKING:
    from dativo_provider.model.job import JobSpec

__all__ = ["DoctorOperator"]

_LEVELS = {"ok": 20, "warn": 30, "fail": 40}


class DoctorOperator(StepOperator):
    """Every finding is a line of the log. Raises `ConfigurationError` when one of them failed."""

    def __init__(self, *, environment: str = "", mode: str = "", **kwargs: Any) -> None:
        super().__init__(tenant="", job="doctor", stream="", **kwargs)
        self.environment, self.mode = environment, mode

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        from dativo_provider.hooks.deployment import executors
        from dativo_provider.pipeline.doctor import Patient, examine

        broken: list[str] = []
        jobs = tuple(self._jobs(loader_folder(context), ctx, broken))
        patient = Patient(ctx, jobs, tuple(broken), bool(context["params"].get("sources")), executors())
        found = list(examine(patient))
        for finding in found:
            remedy = f" → {finding.remedy}" if finding.remedy else ""
            ctx.log.log(_LEVELS[finding.status], "%s %s: %s%s", finding.status, finding.check, finding.message, remedy)
        if failed := [finding for finding in found if finding.status == "fail"]:
            raise ConfigurationError(
                "; ".join(f"{finding.check}: {finding.message}" for finding in failed), remedy=failed[0].remedy
            )
        return [asdict(finding) for finding in found]

    def _jobs(self, folder: Path | None, ctx: RunContext, broken: list[str]) -> Iterator[JobSpec]:
        from dativo_provider.config import InvalidConfig, find_jobs, load_job

        for file in find_jobs(folder) if folder else ():
            try:
                yield load_job(
                    file.path,
                    root=folder,
                    environment=self.environment,
                    mode="cloud" if self.mode == "cloud" else "self_hosted",
                    variables=ctx.variables,
                )
            except InvalidConfig:
                broken.append(file.path.name)
