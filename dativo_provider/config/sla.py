"""`sla:` blocks, and freshness that is promised elsewhere in a contract."""

from __future__ import annotations

from collections.abc import Iterable

from dativo_provider.config.shapes.checks import Sla
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.sla import SlaSpec

__all__ = ["sla_spec"]


def sla_spec(shape: Sla | None, streams: Iterable[StreamSpec]) -> SlaSpec:
    """The strictest freshness of block and checks."""
    hours = [rule.body.get("max_age_hours") for stream in streams for rule in stream.contract.rules
             if rule.body.get("type") == "freshness"]  # fmt: skip
    ages = [float(each) for each in hours if isinstance(each, int | float) and not isinstance(each, bool)]
    return SlaSpec(
        max_age_hours=min(ages, default=None),
        min_records_per_day=shape.completeness.min_records_per_day if shape and shape.completeness else None,
        uptime_percentage=shape.availability.uptime_percentage if shape and shape.availability else None,
    )
