"""sync: tells other systems what was published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import PlannedOperator

__all__ = ["SyncOperator"]


class SyncOperator(PlannedOperator):
    """The last task, so it is also the one that fails when published rows are too old for the contract: had
    `publish` failed, Airflow would wake nobody who waits for them."""

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.pipeline import steps
        from dativo_provider.pipeline.publish import fail_if_stale

        steps.sync(self.plan, ctx)
        fail_if_stale(self.plan, ctx)
