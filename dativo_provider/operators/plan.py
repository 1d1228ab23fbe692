"""plan: mints the plan id and freezes job, window and slices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import StepOperator
from dativo_provider.operators.request import request_of

__all__ = ["PLAN_KEY", "PlanOperator"]

PLAN_KEY = "plan"


class PlanOperator(StepOperator):
    """Reads the job at `path` (below `root`) as it is now. Returns the indexes of the slices to extract;
    the plan's URI goes to XCom under `plan`."""

    def __init__(self, *, path: str, root: str = "", environment: str = "", mode: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path, self.root, self.environment, self.mode = path, root, environment, mode

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> list[int]:
        from dativo_provider.config import load_job
        from dativo_provider.pipeline import steps

        job = load_job(
            Path(self.path),
            root=Path(self.root) if self.root else None,
            environment=self.environment,
            mode="cloud" if self.mode == "cloud" else "self_hosted",
            variables=ctx.variables,
        )
        plan = steps.plan(job, self.stream, ctx, request_of(context))
        context["ti"].xcom_push(key=PLAN_KEY, value=plan.path)
        return [piece.index for piece in plan.slices]
