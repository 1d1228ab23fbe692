"""Key ranges that several tasks read: within the planned window, cut where the server's index estimates equal shares.

The first range is open below and the last above, so together they hold every row whatever the estimates say.
"""

from __future__ import annotations

import heapq
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from dativo_provider.connectors.database.condition import KeyRange
from dativo_provider.connectors.mysql.cursors import MysqlCursor
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.connectors.mysql.relations import Relation
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.model.stream import Slice, Window

__all__ = ["cut"]

MOST = 256
_LOOKS = 64  # halvings for each slice: a key of 64 bits may have all its rows at one place
_FINE = 8  # pieces that a slice is put together from


def cut(
    session: Session, relation: Relation, window: Window, want: int, options: Options, spec: dict[str, Any]
) -> list[Slice]:
    """At most `want` slices, each of at least about `min_slice_rows` rows; `spec` is in all of them."""
    key = _key(relation, window) if want > 1 and relation.sliceable else None
    edges = _edges(session, key, window) if key else None
    if not key or not edges:
        return [Slice(0, spec["stream"], spec, relation.rows)]
    line = _Line(session, key, *edges)
    rows = line.rows(line.lo, line.hi)
    want = min(want, MOST, max(1, rows // max(1, options.min_slice_rows)))
    ends = [None, *line.bounds(want), None]
    ranges = [KeyRange(key.quoted, lo, hi) for lo, hi in pairwise(ends)]
    return [
        Slice(index, spec["stream"], {**spec, "range": vars(each)}, rows // len(ranges))
        for index, each in enumerate(ranges)
    ]


def _key(relation: Relation, window: Window) -> MysqlCursor | None:
    """The cursor where it has an upper and a lower bound: its index narrows each slice. Else the primary key."""
    names = [window.column] if window.lo is not None else [*relation.key[:1], window.column]
    columns = [relation.column(name) for name in names if name]
    found = (MysqlCursor(relation, column) for column in columns if column)
    return next((each for each in found if each.is_moment or each.type in ("int", "long", "decimal(20,0)")), None)


def _edges(session: Session, key: MysqlCursor, window: Window) -> tuple[str, str] | None:
    lower, upper = (window.lo, window.hi) if window.column == key.name else (None, None)
    where = key.condition(lower, upper, unplaced=False)
    name, source = key.quoted, key.relation.source
    lo, hi = session.rows(f"select min({name}), max({name}) from {source} where {where}")[0]
    return None if lo is None or hi is None else (key.canonical(lo), key.canonical(hi))


class _Line:
    """A key's values as numbers on a line, and how many rows the index estimates between two of them."""

    def __init__(self, session: Session, key: MysqlCursor, lo: str, hi: str) -> None:
        self._session, self._key = session, key
        self.lo, self.hi = self._number(lo), self._number(hi)

    def rows(self, lo: int, hi: int) -> int:
        """Nothing is read: the optimizer looks into the index at both ends."""
        name, bounds = self._key.quoted, (self._literal(lo), self._literal(hi))
        where = f"{name} >= {bounds[0]} and {name} <= {bounds[1]}"
        plan = self._session.named(f"explain select {name} from {self._key.relation.source} where {where}") or [{}]
        return int(plan[0].get("rows") or 0)

    def bounds(self, want: int) -> list[str]:
        """Ascending inner bounds, at most `want - 1`: where equal shares of the estimated rows end."""
        pieces = self._pieces(want)
        total, below, found = sum(rows for _, rows in pieces), 0, list[int]()
        for place, rows in pieces:
            if below * want >= total * (len(found) + 1) and place > self.lo:
                found.append(place)
            below += rows
        return [self._literal(place) for place in found[: want - 1]]

    def _pieces(self, want: int) -> list[tuple[int, int]]:
        """Where small pieces begin and how many rows each holds. The largest is halved, again and again.

        The server estimates no range as more than half of a table, and large ones as double; small ones it knows.
        """
        left = [(-self.rows(self.lo, self.hi), self.lo, self.hi)]
        for _ in range(_LOOKS * want):
            most, lo, hi = left[0]
            if lo == hi or -most * want * _FINE <= -sum(rows for rows, *_ in left):
                break
            middle = (lo + hi) // 2
            heapq.heapreplace(left, (-self.rows(lo, middle), lo, middle))
            heapq.heappush(left, (-self.rows(middle + 1, hi), middle + 1, hi))
        return sorted((lo, -rows) for rows, lo, _ in left)

    def _number(self, value: str) -> int:
        if not self._key.is_moment:
            return int(value)
        if self._key.type == "date":
            return date.fromisoformat(value).toordinal()
        moment = datetime.fromisoformat(value)
        return (moment - datetime.min.replace(tzinfo=moment.tzinfo)) // timedelta(microseconds=1)

    def _literal(self, place: int) -> str:
        if not self._key.is_moment:
            return self._key.sql(str(place))
        if self._key.type == "date":
            return self._key.sql(date.fromordinal(place).isoformat())
        moment = datetime.min + timedelta(microseconds=place)
        return self._key.sql(moment.isoformat(sep=" ", timespec="microseconds"))
