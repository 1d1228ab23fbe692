"""What a detector of anomalies works with: accepted values of one metric over time, and a band for the next one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import NamedTuple

__all__ = ["FLOOR", "LEAST", "Band", "Detector", "Point", "Scale", "level_and_spread", "scale_of"]

LEAST = 8  # points before the first verdict
FLOOR = 0.02  # of the level: what varies less than this is taken to vary by this, so that constants have a band too
_NORMAL = 1.4826  # a normal distribution's standard deviation in median absolute deviations


class Point(NamedTuple):
    at: datetime
    value: float


@dataclass(frozen=True)
class Band:
    """What a detector expects of the next value. `how` says what it saw in the history."""

    expected: float
    low: float
    high: float
    how: str = ""

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


Detector = Callable[[Sequence[Point], datetime, float], Band]


@dataclass(frozen=True)
class Scale:
    """Counts and sums grow by factors, so what is always positive is judged by its logarithm."""

    logarithmic: bool

    def enter(self, value: float) -> float:
        return math.log(max(value, 1e-9)) if self.logarithmic else value

    def leave(self, value: float) -> float:
        return math.exp(min(value, 700.0)) if self.logarithmic else value

    def floor(self, level: float) -> float:
        return FLOOR if self.logarithmic else max(FLOOR * abs(level), 1e-12)

    def band(self, expected: float, reach: float, how: str) -> Band:
        low, high = self.leave(expected - reach), self.leave(expected + reach)
        return Band(self.leave(expected), low, high, how)


def scale_of(points: Sequence[Point]) -> Scale:
    return Scale(all(point.value > 0 for point in points))


def level_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Median, and the standard deviation as the median absolute deviation tells it."""
    level = median(values)
    return level, _NORMAL * median(abs(value - level) for value in values)
