"""Reads that a quota ends: what came before it is published, and the next run goes on from there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dativo_provider.connectors.rest.batches import Batches
from dativo_provider.connectors.rest.spec import Stream
from dativo_provider.connectors.rest.window import EARLY, floor
from dativo_provider.model.stream import Cursor, Slice

__all__ = ["reached"]


def reached(spec: Stream, piece: Slice, gathered: Batches, position: Any) -> Cursor | None:
    """Where the next run goes on, when the pages so far are all that is published; None when they may not be.

    `position` is the API's own, of the last page.
    """
    increment = spec.incremental
    if increment is None or "part" not in piece.spec:
        return None
    if increment.token:
        return None if position in (None, piece.spec.get("token")) else Cursor({"token": position})
    is_first = piece.spec.get("lo") is None
    if is_first and (increment.changes or not spec.columns[increment.cursor].required):
        return None  # another list has another order, and records without a moment may be still to come
    newest = gathered.newest if gathered.rising else None
    at = floor(increment, newest) if newest else None
    since = piece.spec["part"]
    if at is None or (since and at <= datetime.fromisoformat(since)):
        return None
    return Cursor({"column": increment.cursor, "type": "timestamptz", "value": at.isoformat(), EARLY: True})
