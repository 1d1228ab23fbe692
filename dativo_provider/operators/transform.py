"""transform: SQL that must see all rows of the run at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import PlannedOperator

__all__ = ["TransformOperator"]


class TransformOperator(PlannedOperator):
    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.pipeline import steps

        steps.transform(self.plan, ctx)
