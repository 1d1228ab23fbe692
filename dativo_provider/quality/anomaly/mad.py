"""Median absolute deviation, of logarithms where all values are positive; half of the history may be wrong.

Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), recommend 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dativo_provider.quality.anomaly.base import Band, Point, level_and_spread, scale_of

__all__ = ["SIGMAS", "band"]

SIGMAS = 3.5


def band(points: Sequence[Point], _: datetime, sigmas: float) -> Band:
    scale = scale_of(points)
    level, spread = level_and_spread([scale.enter(point.value) for point in points])
    return scale.band(level, sigmas * max(spread, scale.floor(level)), f"median of {len(points)} runs")
