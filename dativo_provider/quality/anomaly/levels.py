"""What of a history still says something: outliers do not, unless they stayed or come back in every period."""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.quality.anomaly.base import Point
from dativo_provider.quality.anomaly.season import rhythm_of

__all__ = ["STAYED", "settled"]

STAYED = 5  # anomalies in a row are a new level, and what was before it is history no more


def settled(points: Sequence[Point], flagged: Sequence[bool]) -> list[Point]:
    """Without anomalies that passed; from the start of the last one that stayed on, with it."""
    start, end = _stayed(flagged)
    back = _came_back(points, flagged)
    rest = zip(points[end:], flagged[end:], back[end:], strict=True)
    return [*points[start:end], *(point for point, flag, again in rest if again or not flag)]


def _stayed(flagged: Sequence[bool]) -> tuple[int, int]:
    start = end = run = 0
    for index, flag in enumerate(flagged):
        run = run + 1 if flag else 0
        if run >= STAYED:
            start, end = index - run + 1, index + 1
    return start, end


def _came_back(points: Sequence[Point], flagged: Sequence[bool]) -> list[bool]:
    """Whether a point a period before or after was flagged as well: that is a season, not an accident."""
    rhythm = rhythm_of(points)
    places = [rhythm.steps(points[0].at, point.at) for point in points]
    odd = {place for place, flag in zip(places, flagged, strict=True) if flag}
    length = rhythm.length
    return [bool(length) and bool({place - length, place + length} & odd) for place in places]
