"""What of a history still says something: outliers do not, unless they stayed or come back in every period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from dativo_provider.quality.anomaly.base import LEAST, Band, Point
from dativo_provider.quality.anomaly.season import rhythm_of

__all__ = ["STAYED", "moved", "settled"]

STAYED = 5  # anomalies in a row are a new level, and what was before it is history no more


def settled(points: Sequence[Point], flagged: Sequence[bool]) -> list[Point]:
    """Without anomalies that passed; from the start of the last one that stayed on, with it."""
    start, end = _stayed(flagged)
    back = _came_back(points, flagged)
    rest = zip(points[end:], flagged[end:], back[end:], strict=True)
    return [*points[start:end], *(point for point, flag, again in rest if again or not flag)]


def moved(
    points: Sequence[Point], flagged: Sequence[bool], level: Point, band: Callable[[Sequence[Point], datetime], Band]
) -> tuple[list[Point], list[bool]]:
    """What was before `level`, raised or lowered by what that differs from the expected: so its spread, season and
    trend go on saying something. Too few points to expect anything from are left out."""
    count = sum(point.at < level.at for point in points)
    known = settled(points[:count], flagged[:count]) if count else []
    after = list(points[count:]), list(flagged[count:])
    if len(known) < LEAST:
        return after
    expected = band(known, level.at).expected
    by_factor = min(expected, level.value, *(point.value for point in known)) > 0
    raised = [
        Point(at, value * level.value / expected if by_factor else value + level.value - expected)
        for at, value in known
    ]
    return [*raised, *after[0]], [*[False] * len(raised), *after[1]]


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
