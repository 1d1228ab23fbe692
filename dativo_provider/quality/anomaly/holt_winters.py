"""Holt-Winters: level, trend and season, each smoothed; the smoothing that would have forecast the history best.

Additive (on logarithms where all values are positive): https://otexts.com/fpp3/holt-winters.html. Steps follow the
calendar: a gap is forecast over, not squeezed out. Errors beyond three spreads move nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise, product
from statistics import fmean, median

from dativo_provider.quality.anomaly.base import Band, Point, level_and_spread, scale_of
from dativo_provider.quality.anomaly.season import Rhythm, phases, rhythm_of

__all__ = ["SIGMAS", "band"]

SIGMAS = 4.0
_GRID = tuple(product((0.1, 0.3, 0.6), (0.0, 0.05, 0.2), (0.05, 0.2)))  # of level, trend, season


@dataclass
class _Smoothing:
    rates: tuple[float, float, float]
    level: float
    season: dict[int, float]
    reach: float  # what one error may move
    trend: float = 0.0
    errors: list[float] = field(default_factory=list)

    def forecast(self, steps: int, phase: int) -> float:
        return self.level + steps * self.trend + self.season.get(phase, 0.0)

    def learn(self, steps: int, phase: int, value: float) -> None:
        alpha, beta, gamma = self.rates
        error = value - self.forecast(steps, phase)
        self.errors.append(error)
        error = min(max(error, -self.reach), self.reach)
        self.level += steps * self.trend + alpha * error
        self.trend += beta * alpha * error / steps
        if phase in self.season:
            self.season[phase] += gamma * (1 - alpha) * error


def band(points: Sequence[Point], at: datetime, sigmas: float) -> Band:
    scale, rhythm = scale_of(points), rhythm_of(points)
    values = [scale.enter(point.value) for point in points]
    fits = list(_fits(rhythm, points, values))
    best = min(fits, key=lambda fit: fmean(min(abs(error), 2 * fit.reach) for error in fit.errors))
    spread = max(level_and_spread(best.errors[len(best.errors) // 4 :])[1], scale.floor(best.level))
    expected = best.forecast(max(rhythm.steps(points[-1].at, at), 1), rhythm.phase(at))
    return scale.band(expected, sigmas * spread, f"Holt-Winters over {len(points)} runs")


def _fits(rhythm: Rhythm, points: Sequence[Point], values: Sequence[float]) -> Iterator[_Smoothing]:
    level = median(values[: max(rhythm.length, 5)])
    medians = phases(rhythm, points, values, 2) or {}
    middle = fmean(medians.values()) if medians else 0.0
    season = {phase: value - middle for phase, value in medians.items()}
    rest = [value - season.get(rhythm.phase(point.at), 0.0) for point, value in zip(points, values, strict=True)]
    steps = [max(rhythm.steps(a.at, b.at), 1) for a, b in pairwise(points)]
    moves = [b - a for a, b in pairwise(rest)]
    reach = 3 * max(level_and_spread(moves)[1], 1e-12)
    for rates in _GRID:
        fit = _Smoothing(rates, median(rest[: max(rhythm.length, 5)]) if season else level, dict(season), reach)
        for point, value, step in zip(points, values, [1, *steps], strict=True):
            fit.learn(step, rhythm.phase(point.at), value)
        yield fit
