"""What a run reads of a stream: moments between two runs, or whatever the API counts from its own position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from dativo_provider.connectors.rest.spec import Incremental
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, Slice, Window, WindowRequest

__all__ = ["EARLY", "asked_from", "bounds", "cut", "floor", "plan_window", "settled_at"]

EARLY = "ended_early"  # in a cursor: rows of its moment have been published, and others may be missing

_STEPS = {
    "microsecond": timedelta(microseconds=1),
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "day": timedelta(days=1),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 256


def plan_window(increment: Incremental | None, stream: StreamSpec, request: WindowRequest, now: datetime) -> Window:
    """Half-open and fixed: what changes from `hi` on belongs to the next run.

    Raises `ConfigurationError` for a range of a stream that has no moments.
    """
    ranged = bool(request.start or request.end)
    if increment is None or (stream.incremental.strategy == "full_refresh" and not ranged):
        if ranged:
            raise ConfigurationError(
                f"'{stream.name}' does not say when a record changed, so there is no range to read",
                remedy="read it in full",
            )
        return Window("full")
    if increment.token:
        return _in_parts(_by_token(stream, request), increment, request)
    return _in_parts(_Planner(increment, stream, now).window(request), increment, request)


def _by_token(stream: StreamSpec, request: WindowRequest) -> Window:
    if request.start or request.end:
        raise ConfigurationError(
            f"'{stream.name}' is read from a position that only the API understands, so it has no range",
            remedy="read it in full",
        )
    token = None if request.full or request.since is None else request.since.value.get("token")
    return Window("full" if request.full else "incremental", detail={"token": token} if token else {})


def _in_parts(window: Window, increment: Incremental, request: WindowRequest) -> Window:
    """`window`, marked with where the last run ended if a part of it may be published."""
    if not (increment.resumes and request.part and window.kind == "incremental"):
        return window
    since = request.since.value.get("value") if request.since else None
    return replace(window, detail={**window.detail, "part": since or ""})


class _Planner:
    def __init__(self, increment: Incremental, stream: StreamSpec, now: datetime) -> None:
        self._increment, self._stream = increment, stream
        self._step = _STEPS[increment.precision]
        self._now = now.astimezone(UTC)
        self._column = increment.cursor  # a `moment` stands in no column: it says nothing of how old rows are
        self._back = timedelta(seconds=stream.incremental.lookback_seconds)

    def window(self, request: WindowRequest) -> Window:
        lag = max(self._stream.incremental.lag_seconds, self._increment.lag or 0)
        settled = self._floor(self._now - timedelta(seconds=lag))
        if request.start or request.end:
            return self._range(request, settled)
        since = None if request.full or request.since is None else _moment(str(request.since.value["value"]))
        kept = self._increment.kept
        if since is not None and kept and since < self._now - timedelta(seconds=kept):
            note = (
                f"the last run is longer ago than the API keeps changes ({kept // 86_400} days): everything is read; "
                "what was deleted meanwhile is taken away where `target.delete_missing` is set"
            )
            return replace(self._made("full", None, settled), notes=(note,))
        if since is not None and (settled < since or (settled == since and not self._back)):
            return Window("empty", self._column, "timestamptz", cursor=request.since)
        early = EARLY in request.since.value if request.since else False
        return self._made("full" if request.full else "incremental", since, settled, early)

    def _made(self, kind: Any, since: datetime | None, hi: datetime, ended_early: bool = False) -> Window:
        lo = None if since is None else self._floor(since - self._back)
        shown = hi.isoformat()
        cursor = Cursor({"column": self._column, "type": "timestamptz", "value": shown})
        overlap = since is not None and (lo != since or ended_early)
        return Window(kind, self._column, "timestamptz", lo and lo.isoformat(), shown, cursor, overlap)

    def _range(self, request: WindowRequest, settled: datetime) -> Window:
        lo = self._floor(_given(request.start)) if request.start else None
        hi = min(self._floor(_given(request.end)), settled) if request.end else settled
        kept = self._increment.kept
        if kept and lo is not None and lo < self._now - timedelta(seconds=kept):
            raise ConfigurationError(
                f"changes of '{self._stream.name}' are kept for {kept // 86_400} days, and the range begins before",
                remedy="read the stream in full: its list has what is there now",
            )
        kind: Any = "empty" if lo is not None and lo >= hi else "range"
        return Window(kind, self._column, "timestamptz", lo and lo.isoformat(), hi.isoformat())

    def _floor(self, at: datetime) -> datetime:
        return floor(self._increment, at)


def floor(increment: Incremental, at: datetime) -> datetime:
    return at - (at - _EPOCH) % _STEPS[increment.precision]


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _given(text: str) -> datetime:
    try:
        return _moment(text)
    except ValueError:
        raise ConfigurationError(f"'{text}' is no moment", remedy="write an ISO timestamp: 2026-03-01") from None


def bounds(spec: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """`lo` and `hi` of a slice."""
    lo, hi = spec.get("lo"), spec.get("hi")
    return (_moment(lo) if lo else None), (_moment(hi) if hi else None)


def settled_at(spec: Mapping[str, Any]) -> datetime | None:
    """From when on the next run reads, which no clock may be behind; None where nothing is known of it."""
    found = spec.get("hi") or spec.get("settled")
    return _moment(found) if found else None


def asked_from(increment: Incremental | None, lo: datetime | None) -> datetime | None:
    """The `{lo}` of a request: a step earlier where the API leaves out what changed at that very moment."""
    return lo - _STEPS[increment.precision] if lo and increment and increment.after else lo


def cut(increment: Incremental | None, stream: str, window: Window, want: int) -> list[Slice]:
    """Equal spans of time where the API keeps to both bounds, else the whole."""
    lo, hi = bounds({"lo": window.lo, "hi": window.hi})
    parts = max(1, min(want, _MOST)) if increment and increment.bounded and lo and hi else 1
    if parts == 1 or lo is None or hi is None or increment is None:
        settled = window.cursor.value.get("value") if window.cursor else None
        return [Slice(0, stream, {"lo": window.lo, "hi": window.hi, "settled": settled, "of": 1, **window.detail})]
    step = _STEPS[increment.precision]
    edges = sorted({lo + (hi - lo) // step * number // parts * step for number in range(parts)} | {hi})
    spans = list(pairwise(edges))
    return [
        Slice(number, stream, {"lo": low.isoformat(), "hi": high.isoformat(), "of": len(spans)})
        for number, (low, high) in enumerate(spans)
    ]
