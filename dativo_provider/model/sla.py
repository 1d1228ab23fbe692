"""What consumers of a job's tables may rely on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SlaSpec"]


@dataclass(frozen=True)
class SlaSpec:
    """None is no promise. Freshness is a check of the contract, too; here it is for runs that never come."""

    max_age_hours: float | None = None
    min_records_per_day: int | None = None
    uptime_percentage: float | None = None

    def __bool__(self) -> bool:
        return any(each is not None for each in (self.max_age_hours, self.min_records_per_day, self.uptime_percentage))
