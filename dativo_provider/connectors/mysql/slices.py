"""Key ranges that several tasks read: within the planned window, cut where the server's index estimates equal shares.

The first range is open below and the last above, so together they hold every row whatever the estimates say.
"""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import Any

from dativo_provider.connectors.database.condition import KeyRange
from dativo_provider.connectors.mysql.cursors import MysqlCursor
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.connectors.mysql.relations import Relation
from dativo_provider.connectors.mysql.scales import Scale, has_scale, scale_of
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
    scale = _scale(session, key, window) if key else None
    if not key or not scale:
        return [Slice(0, spec["stream"], spec, relation.rows)]
    line = _Line(session, key, scale)
    rows = line.rows(scale.lo, scale.hi)
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
    return next((MysqlCursor(relation, column) for column in columns if column and has_scale(column)), None)


def _scale(session: Session, key: MysqlCursor, window: Window) -> Scale | None:
    lower, upper = (window.lo, window.hi) if window.column == key.name else (None, None)
    return scale_of(session, key, key.condition(lower, upper, unplaced=False))


class _Line:
    """How many rows the index estimates between two places of a key's scale."""

    def __init__(self, session: Session, key: MysqlCursor, scale: Scale) -> None:
        self._session, self._key, self._scale = session, key, scale

    def rows(self, lo: int, hi: int) -> int:
        """Nothing is read: the optimizer looks into the index at both ends."""
        name, bounds = self._key.quoted, (self._scale.literal(lo), self._scale.literal(hi))
        where = f"{name} >= {bounds[0]} and {name} <= {bounds[1]}"
        plan = self._session.named(f"explain select {name} from {self._key.relation.source} where {where}") or [{}]
        return int(plan[0].get("rows") or 0)

    def bounds(self, want: int) -> list[str]:
        """Ascending inner bounds, at most `want - 1`: where equal shares of the estimated rows end."""
        pieces = self._pieces(want)
        total, below, found = sum(rows for _, rows in pieces), 0, list[int]()
        for place, rows in pieces:
            if below * want >= total * (len(found) + 1) and place > self._scale.lo:
                found.append(place)
            below += rows
        return self._scale.ascending([self._scale.literal(place) for place in found[: want - 1]])

    def _pieces(self, want: int) -> list[tuple[int, int]]:
        """Where small pieces begin and how many rows each holds. The largest is halved, again and again.

        The server estimates no range as more than half of a table, and large ones as double; small ones it knows.
        """
        left = [(-self.rows(self._scale.lo, self._scale.hi), self._scale.lo, self._scale.hi)]
        for _ in range(_LOOKS * want):
            most, lo, hi = left[0]
            if lo >= hi or -most * want * _FINE <= -sum(rows for rows, *_ in left):
                break
            middle = (lo + hi) // 2
            heapq.heapreplace(left, (-self.rows(lo, middle), lo, middle))
            heapq.heappush(left, (-self.rows(middle + 1, hi), middle + 1, hi))
        return sorted((lo, -rows) for rows, lo, _ in left)
