"""Which rhythm a history may follow, told by how often its runs come: hours of a day, days of a week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from dativo_provider.quality.anomaly.base import Point

__all__ = ["Rhythm", "phases", "rhythm_of"]

_HOUR, _DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class Rhythm:
    """`step` is the usual time between two points; `length` steps make a period, 0 where there is none to look for."""

    name: str
    step: float
    length: int = 0

    def phase(self, at: datetime) -> int:
        return at.hour if self.name == "hour of the day" else at.weekday()

    def steps(self, since: datetime, at: datetime) -> int:
        """By the calendar, so that a gap in the history shifts nothing."""
        return round((at - since).total_seconds() / self.step)


def rhythm_of(points: Sequence[Point]) -> Rhythm:
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(points)]
    step = max(median(gaps), 1.0) if gaps else _DAY
    if 0.5 * _HOUR <= step <= 1.5 * _HOUR:
        return Rhythm("hour of the day", step, 24)
    if 0.75 * _DAY <= step <= 1.25 * _DAY:
        return Rhythm("day of the week", step, 7)
    return Rhythm("", step)


def phases(rhythm: Rhythm, points: Sequence[Point], values: Sequence[float], least: int) -> dict[int, float] | None:
    """The median of each phase; None where one that occurs has fewer than `least` points."""
    found: dict[int, list[float]] = defaultdict(list)
    for point, value in zip(points, values, strict=True):
        found[rhythm.phase(point.at)].append(value)
    if not rhythm.length or any(len(group) < least for group in found.values()):
        return None
    return {phase: median(group) for phase, group in found.items()}
