"""Z-score: so many standard deviations from the mean. Blind to seasons, and outliers widen it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import fmean, stdev

from dativo_provider.quality.anomaly.base import Band, Point, Scale

__all__ = ["SIGMAS", "band"]

SIGMAS = 3.0


def band(points: Sequence[Point], _: datetime, sigmas: float) -> Band:
    values = [point.value for point in points]
    mean, scale = fmean(values), Scale(False)
    reach = sigmas * max(stdev(values), scale.floor(mean))
    return scale.band(mean, reach, f"mean of {len(values)} runs")
