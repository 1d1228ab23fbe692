"""audit: one verdict over what was staged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import PlannedOperator
from dativo_provider.operators.links import QualityReportLink

__all__ = ["AuditOperator"]


class AuditOperator(PlannedOperator):
    """Fails with `ContractViolation` when the verdict is to block."""

    operator_extra_links = (QualityReportLink(),)

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.pipeline import steps

        steps.audit(self.plan, ctx)
