"""A new level that somebody has accepted: from one run on, its numbers are what is normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Acceptance"]


@dataclass(frozen=True)
class Acceptance:
    """`levels` are what `run` measured, by the metric's name in history; `data_time` (ISO) is what time they are of."""

    id: str
    run: str
    check_id: str
    check: str
    by: str
    at: str  # ISO
    reason: str
    data_time: str
    levels: Mapping[str, float] = field(default_factory=dict)
