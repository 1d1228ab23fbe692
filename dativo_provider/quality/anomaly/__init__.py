"""Is a metric's newest value out of the ordinary? A method is a leaf with `SIGMAS` and `band`, and an entry here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from dativo_provider.quality.anomaly import auto, holt_winters, iqr, mad, zscore
from dativo_provider.quality.anomaly.base import LEAST, Band, Detector, Point
from dativo_provider.quality.anomaly.levels import moved, settled

__all__ = ["LEAST", "METHODS", "Band", "Method", "Point", "detect"]


class Method(NamedTuple):
    band: Detector
    sigmas: float  # where nothing else is asked for


METHODS: Mapping[str, Method] = {
    "auto": Method(auto.band, auto.SIGMAS),
    "z_score": Method(zscore.band, zscore.SIGMAS),
    "mad": Method(mad.band, mad.SIGMAS),
    "iqr": Method(iqr.band, iqr.SIGMAS),
    "holt_winters": Method(holt_winters.band, holt_winters.SIGMAS),
}


def detect(
    points: Sequence[Point],
    flagged: Sequence[bool],
    at: datetime,
    method: str = "auto",
    sigmas: float | None = None,
    levels: Sequence[Point] = (),
) -> Band | int:
    """The band for the value of `at`, or how many points there are while these are fewer than `LEAST`.

    `points` are accepted ones in order of time, of any number; those `flagged` as anomalies when they came count only
    once they turned out to be a new level. `levels` are values that somebody has accepted, in order of time: what was
    before one of them counts as if it had been at that level. Raises `KeyError` for an unknown method.
    """
    chosen = METHODS[method]
    far = chosen.sigmas if sigmas is None else sigmas
    for level in levels:
        points, flagged = moved(points, flagged, level, lambda known, at: chosen.band(known, at, far))
    known = settled(points, flagged) if points else []
    if len(known) < LEAST:
        return len(known)
    return chosen.band(known, at, far)
