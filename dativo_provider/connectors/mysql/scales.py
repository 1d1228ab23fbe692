"""A key's values as whole numbers, so that the middle between two of them can be taken.

A scale need not be exact: it says where cuts may lie, and the server says what lies below and above them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import takewhile

from dativo_provider.connectors.mysql.cursors import MysqlCursor
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.connectors.mysql.types import Column

__all__ = ["Scale", "has_scale", "scale_of"]

_BEHIND = 8  # characters behind those that all values begin with, in which cuts may lie
_PRINTABLE = range(32, 127)


class Scale(ABC):
    """Of the values between `lo` and `hi`, the least and the greatest as `shown` writes them."""

    shown = "{}"  # how a value is asked for

    def __init__(self, session: Session, key: MysqlCursor, lo: str, hi: str) -> None:
        self.session, self.key = session, key
        self.lo, self.hi = sorted((self.place(lo), self.place(hi)))

    @abstractmethod
    def place(self, value: str) -> int: ...

    @abstractmethod
    def literal(self, place: int) -> str:
        """In SQL, to be compared with the column."""

    def ascending(self, literals: Sequence[str]) -> list[str]:
        """Each once, as the server orders them."""
        return list(literals)


class _Ordered(Scale):
    """Whole numbers and moments, which are in the order of their places."""

    def place(self, value: str) -> int:
        value = self.key.canonical(value)
        if not self.key.is_moment:
            return int(value)
        if self.key.type == "date":
            return date.fromisoformat(value).toordinal()
        moment = datetime.fromisoformat(value)
        return (moment - datetime.min.replace(tzinfo=moment.tzinfo)) // timedelta(microseconds=1)

    def literal(self, place: int) -> str:
        if not self.key.is_moment:
            return self.key.sql(str(place))
        if self.key.type == "date":
            return self.key.sql(date.fromordinal(place).isoformat())
        moment = datetime.min + timedelta(microseconds=place)
        return self.key.sql(moment.isoformat(sep=" ", timespec="microseconds"))


class _Written(Scale):
    """Values that a scale cannot order as the server does, which is asked therefore: `as_column` is a literal in SQL
    as a value of the column, its collation included."""

    as_column = "{}"

    def ascending(self, literals: Sequence[str]) -> list[str]:
        found = _ranked(self.session, {number: self._compared(each) for number, each in enumerate(literals)})
        return [literals[min(group)] for group in found]

    def _compared(self, literal: str) -> str:
        return self.as_column.format(literal)


class _Bytes(_Written):
    """BINARY and VARBINARY: the bytes behind those that all begin with."""

    shown = "hex({})"

    def __init__(self, session: Session, key: MysqlCursor, lo: str, hi: str) -> None:
        self._size = _shared(lo, hi) // 2 + _BEHIND
        super().__init__(session, key, lo, hi)

    def place(self, value: str) -> int:
        return int.from_bytes(bytes.fromhex(value)[: self._size].ljust(self._size, b"\0"), "big")

    def literal(self, place: int) -> str:
        return f"x'{place.to_bytes(self._size, 'big').hex()}'"


class _Texts(_Written):
    """CHAR and VARCHAR: what is printable in ASCII as digits, in the order of the column's collation. Other characters
    lie beyond these."""

    shown = "hex(convert({} using utf8mb4))"

    def __init__(self, session: Session, key: MysqlCursor, lo: str, hi: str) -> None:
        collation = key.column.collation
        self.as_column = f"convert({{}} using {collation.partition('_')[0]}) collate {collation}"
        least, most = (bytes.fromhex(value).decode() for value in (lo, hi))
        self._size = _shared(least, most) + _BEHIND
        ranked = _ranked(session, {code: self._compared(_text(chr(code))) for code in _PRINTABLE})
        self._digits = [chr(min(group)) for group in ranked]
        self._worth = {chr(code): digit for digit, group in enumerate(ranked) for code in group}
        super().__init__(session, key, lo, hi)

    def place(self, value: str) -> int:
        text, place = bytes.fromhex(value).decode(), 0
        for character in text[: self._size].ljust(self._size):
            beyond = 0 if character < " " else len(self._digits) - 1
            place = place * len(self._digits) + self._worth.get(character, beyond)
        return place

    def literal(self, place: int) -> str:
        digits = []
        for _ in range(self._size):
            place, digit = divmod(place, len(self._digits))
            digits.append(self._digits[digit])
        return _text("".join(reversed(digits)).rstrip())


class _Uuids(_Written):
    """MariaDB's own, ordered by their last group first; random ones spread over it evenly.

    https://mariadb.com/docs/server/reference/data-types/string-data-types/uuid-data-type
    """

    shown = "cast({} as char)"
    as_column = "cast({} as uuid)"

    def place(self, value: str) -> int:
        return int(value.rpartition("-")[2], 16)

    def literal(self, place: int) -> str:
        return f"'00000000-0000-4000-8000-{place:012x}'"


_KINDS: Mapping[str, type[Scale]] = {
    **dict.fromkeys(("int", "long", "decimal(20,0)", "date", "timestamp", "timestamptz"), _Ordered),
    **dict.fromkeys(("char", "varchar"), _Texts), **dict.fromkeys(("binary", "varbinary"), _Bytes), "uuid": _Uuids,
}  # fmt: skip


def _kind(column: Column) -> type[Scale] | None:
    """By our type where it has an order, else by MySQL's: text may be an ENUM, which is compared as another thing."""
    return _KINDS.get(column.type) or _KINDS.get(column.source_type.partition("(")[0])


def has_scale(column: Column) -> bool:
    return _kind(column) is not None


def scale_of(session: Session, key: MysqlCursor, where: str) -> Scale | None:
    """Of the rows under `where`. None where there are none."""
    kind = _kind(key.column)
    assert kind is not None
    least, most = (kind.shown.format(f"{end}({key.quoted})") for end in ("min", "max"))
    lo, hi = session.rows(f"select {least}, {most} from {key.relation.source} where {where}")[0]
    return None if lo is None or hi is None else kind(session, key, str(lo), str(hi))


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _text(value: str) -> str:
    return f"_utf8mb4 x'{value.encode().hex()}'"


def _ranked(session: Session, values: Mapping[int, str]) -> list[list[int]]:
    """Numbers whose values, written in SQL, are equal; the groups ascend."""
    if not values:
        return []
    listed = " union all ".join(f"select {number} as number, {value} as value" for number, value in values.items())
    rows = session.rows(f"select group_concat(number) from ({listed}) as listed group by value order by value")
    return [[int(number) for number in str(row[0]).split(",")] for row in rows]
