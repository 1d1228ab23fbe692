"""Steps that look at a job as its file is now, not as a plan froze it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import StepOperator
from dativo_provider.operators.context import loader_folder

if TYPE_CHECKING:
    from dativo_provider.model.job import JobSpec

__all__ = ["JobFileOperator"]


class JobFileOperator(StepOperator):
    """`file` is the job's, relative to the loader's folder."""

    def __init__(self, *, file: str, environment: str = "", mode: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file, self.environment, self.mode = file, environment, mode

    def read_job(self, ctx: RunContext, context: Mapping[str, Any]) -> JobSpec:
        """Raises `ConfigurationError`, and `InvalidConfig` with all that is wrong in the file."""
        from dativo_provider.config import load_job

        folder = loader_folder(context)
        if folder is None:
            raise ConfigurationError("the folder of the loader is not known", where=self.file)
        return load_job(
            folder / self.file,
            root=folder,
            environment=self.environment,
            mode="cloud" if self.mode == "cloud" else "self_hosted",
            variables=ctx.variables,
        )
