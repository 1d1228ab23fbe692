"""extract: reads one slice into staged files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import PlannedOperator

__all__ = ["ExtractOperator"]


class ExtractOperator(PlannedOperator):
    """Mapped over the slices of the plan; `index` says which."""

    def __init__(self, *, index: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.index = index

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.pipeline import steps

        steps.extract(self.plan, self.index, ctx)
