"""Interquartile range: Tukey's fences around the middle half, as far out as so many sigmas of a normal distribution."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import quantiles

from dativo_provider.quality.anomaly.base import Band, Point, Scale

__all__ = ["SIGMAS", "band"]

SIGMAS = 3.0
_QUARTILE = 0.6745  # of a normal distribution, in standard deviations


def band(points: Sequence[Point], _: datetime, sigmas: float) -> Band:
    values = [point.value for point in points]
    first, level, third = quantiles(values, n=4, method="inclusive")
    half = max(third - first, 2 * _QUARTILE * Scale(False).floor(level))
    reach = half * max(sigmas - _QUARTILE, 0.0) / (2 * _QUARTILE)
    return Band(level, first - reach, third + reach, f"quartiles of {len(values)} runs")
