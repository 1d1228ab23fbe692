"""Season first, then trend, then the plain level: the simplest picture of the history that explains it.

A season is believed when its phases differ by four times what is left within them, a trend when over the history it
moves three times that far. Slopes are medians over pairs (Theil and Sen), so that outliers do not tilt them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from math import sqrt
from statistics import median

from dativo_provider.quality.anomaly.base import Band, Point, Scale, level_and_spread, scale_of
from dativo_provider.quality.anomaly.season import Rhythm, phases, rhythm_of

__all__ = ["SIGMAS", "band"]

SIGMAS = 4.0
_PERIODS = 8  # of history that are looked at
_WITHOUT_SEASON = 28  # points
_PER_PHASE = 2  # points, before a season is believed
_MEDIAN = 1.57  # variance of a median of n normal values, times n


def band(points: Sequence[Point], at: datetime, sigmas: float) -> Band:
    scale, rhythm = scale_of(points), rhythm_of(points)
    recent = points[-_PERIODS * rhythm.length :] if rhythm.length else points
    seasonal = _seasonal(_History.of(scale, rhythm, recent, at), at, sigmas)
    return seasonal or _level(_History.of(scale, rhythm, points[-_WITHOUT_SEASON:], at), sigmas)


@dataclass(frozen=True)
class _History:
    """Values as `scale` has them, and when: in steps before the value that is judged."""

    points: Sequence[Point]
    scale: Scale
    rhythm: Rhythm
    values: list[float]
    times: list[int]

    @classmethod
    def of(cls, scale: Scale, rhythm: Rhythm, points: Sequence[Point], at: datetime) -> _History:
        values = [scale.enter(point.value) for point in points]
        return cls(points, scale, rhythm, values, [rhythm.steps(at, point.at) for point in points])

    def without(self, slope: float) -> list[float]:
        return [value - slope * time for value, time in zip(self.values, self.times, strict=True)]

    def slope(self, period: int) -> float:
        """Over pairs a whole number of periods apart, which a season does not touch."""
        places = list(zip(self.times, self.values, strict=True))
        pairs = ((b[0] - a[0], b[1] - a[1]) for a, b in combinations(places, 2))
        slopes = [rise / apart for apart, rise in pairs if apart and apart % period == 0]
        return median(slopes) if slopes else 0.0

    def moves(self, slope: float, spread: float) -> bool:
        """Whether that is a trend, not chance."""
        return abs(slope) * (max(self.times) - min(self.times)) > 3 * spread


def _seasonal(history: _History, at: datetime, sigmas: float) -> Band | None:
    if not history.rhythm.length:
        return None
    slope, phase = history.slope(history.rhythm.length), history.rhythm.phase(at)
    found = _fitted(history, slope)
    if found is not None and not history.moves(slope, found[1]):
        found = _fitted(history, 0.0)
    if found is None or phase not in found[0]:
        return None
    medians, spread = found
    if max(medians.values()) - min(medians.values()) <= 4 * spread:
        return None
    how = f"{history.rhythm.name}, {len(history.points)} runs"
    return history.scale.band(medians[phase], sigmas * spread, how)


def _fitted(history: _History, slope: float) -> tuple[dict[int, float], float] | None:
    """Medians of the phases, and the spread about them."""
    values = history.without(slope)
    found = phases(history.rhythm, history.points, values, _PER_PHASE)
    return None if found is None else (found, _spread(history, values, found))


def _spread(history: _History, values: Sequence[float], found: dict[int, float]) -> float:
    """Of a new value about its phase's median, which took a part of the spread with it."""
    rest = [value - found[history.rhythm.phase(p.at)] for p, value in zip(history.points, values, strict=True)]
    each = len(values) / len(found)
    spread = level_and_spread(rest)[1] * sqrt(each / (each - 1)) * sqrt(1 + _MEDIAN / each)
    return max(spread, history.scale.floor(median(values)))


def _level(history: _History, sigmas: float) -> Band:
    count = len(history.points)
    level, spread = level_and_spread(history.values)
    reach = sigmas * max(spread, history.scale.floor(level))
    if count < _PER_PHASE * history.rhythm.length:  # a season may be there that cannot be told yet
        reach += max(level - min(history.values), max(history.values) - level)
        return history.scale.band(level, reach, f"median of {count} runs, too few to tell a season")
    slope = history.slope(1)
    rest, narrow = level_and_spread(history.without(slope))
    narrow = max(narrow, history.scale.floor(rest))
    if history.moves(slope, narrow):
        return history.scale.band(rest, sigmas * narrow, f"trend of {count} runs")
    return history.scale.band(level, reach, f"median of {count} runs")
