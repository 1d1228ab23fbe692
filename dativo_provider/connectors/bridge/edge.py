"""Rows at the very position of the last run: connectors send them again, because more may have come there.

The state of a connector says "from this moment on", and that moment included. Beside it we keep that moment, and a hash
of each row that had it: those are left out when they come again unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

__all__ = ["Edge"]

_MOST = 20_000  # rows; a position that more of them share is told by the key instead
_OWN = ("_sdc_", "_airbyte_", "_ab_cdc_")  # said by the connector of its own work, and different each time


class Edge:
    """Follows `column` through one read. `past` is what `value` gave after the run before."""

    def __init__(self, column: str, past: Mapping[str, Any] | None = None) -> None:
        self.column, self.repeated = column, 0
        self._past = dict(past or {})
        self._before = _order(self._past.get("at"))
        self._seen = frozenset(self._past.get("rows") or ())
        self._at: Any = None  # the furthest position, as it was said
        self._top: tuple[str, Any] | None = None
        self._first: Mapping[str, Any] = {}  # row that has it; hashed only when it turns out to be the last position
        self._rows: list[str] = []  # hashes of the others
        self._last: tuple[Any, tuple[str, Any] | None] = (None, None)

    def is_new(self, values: Mapping[str, Any]) -> bool:
        found = values.get(self.column)
        if found is None:
            return True
        if found != self._last[0]:
            self._last = found, _order(found)
        place = self._last[1]
        if place is None:
            return True
        if self._is_top(place):
            self._at, self._top, self._first, self._rows = found, place, values, []
        elif place == self._top and not self.crowded:
            self._rows.append(_hash(values))
        if place == self._before and _hash(values) in self._seen:
            self.repeated += 1
            return False
        return True

    def _is_top(self, place: tuple[str, Any]) -> bool:
        return self._top is None or (place[0] == self._top[0] and place[1] > self._top[1])

    @property
    def crowded(self) -> bool:
        """Whether more rows share the last position than are told apart by it."""
        return len(self._rows) >= _MOST

    def value(self) -> dict[str, Any]:
        """What the next run must know."""
        if self._top is None or (self._before and self._before[0] == self._top[0] and self._top[1] < self._before[1]):
            return self._past
        rows = {_hash(self._first), *self._rows} | (self._seen if self._top == self._before else frozenset())
        return {"at": _plain(self._at), "rows": sorted(rows) if len(rows) <= _MOST else []}


def _order(value: Any) -> tuple[str, Any] | None:
    """Something that values of one kind can be compared by; None for what has no order."""
    if value is None or isinstance(value, (bool, Mapping, list)):
        return None
    if isinstance(value, (int, float, Decimal)):
        return "number", Decimal(str(value))
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return "text", str(value)
    return "moment", at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)  # a number among numbers, also when it comes back
    return str(value) if isinstance(value, date) else value


def _hash(values: Mapping[str, Any]) -> str:
    import msgspec

    own = {name: value for name, value in values.items() if not name.startswith(_OWN)}
    text = msgspec.json.encode(own, order="deterministic")
    return hashlib.blake2b(text, digest_size=8).hexdigest()
