"""Cells as Arrow columns. The kind of each cell is what JSON says; text is never parsed here.

A column with a value that its type cannot hold travels as text, and the pipeline's cast judges it row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dativo_provider.connectors.google.sheets.header import plain
from dativo_provider.connectors.google.sheets.serial import as_date, as_instant, as_moment, as_time
from dativo_provider.model.types import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "column", "kind_of"]

# What a number format says a number is (NumberFormatType of the API).
FORMATS = {"DATE": "date", "DATE_TIME": "timestamp", "TIME": "time"}
Read = Callable[[Any, str], Any]


def kind_of(values: Sequence[Any], format_: str = "") -> str:
    """The type of a column's cells, "" of nothing; `format_` is the number format of its first ones."""
    kinds = {type(value) for value in values if value != ""}
    if not kinds:
        return ""
    if kinds == {bool}:
        return "boolean"
    if kinds <= {int, Decimal}:
        timed = FORMATS.get(format_, "")
        if timed and _fits(values, timed):
            return timed
        return "long" if all(value == "" or value == int(value) for value in values) else "double"
    return "string"


def _fits(values: Sequence[Any], kind: str) -> bool:
    try:
        for value in values:
            if value != "":
                _READ[kind](value, "UTC")
    except ValueError:
        return False
    return True


def column(values: Sequence[Any], kind: str, zone: str, *, format_: str = "", text: bool = False) -> pa.Array:
    """As `kind`, a type of `model.types`; an empty cell is NULL. Text where one value is not of that type."""
    import pyarrow as pa

    kind = kind or kind_of(values, format_) or "string"
    read = None if text else _READ.get(kind.partition("(")[0])
    if read is not None:
        try:
            return pa.array([None if value == "" else read(value, zone) for value in values], to_arrow(kind))
        except (ValueError, TypeError, OverflowError, pa.ArrowException):
            pass
    timed = kind if kind in _TIMED else FORMATS.get(format_, "")
    return pa.array([None if value == "" else _shown(value, timed, zone) for value in values], pa.string())


def _shown(value: Any, timed: str, zone: str) -> str:
    """As a person would write it; a number in a column of dates is one."""
    if timed and isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            found: date | datetime | time = _READ[timed](value, zone)
        except ValueError:
            return plain(value)
        return found.isoformat()
    return plain(value)


def _number(value: Any, _: str) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("no number")
    return value


def _whole(value: Any, _: str) -> int:
    number = _number(value, _)
    if number != int(number):
        raise ValueError("no whole number")
    return int(number)


def _truth(value: Any, _: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _timed(read: Callable[[int | Decimal], Any]) -> Read:
    return lambda value, zone: read(_number(value, zone))


_READ: Mapping[str, Read] = {
    "boolean": _truth,
    "int": _whole,
    "long": _whole,
    "float": lambda value, zone: float(_number(value, zone)),
    "double": lambda value, zone: float(_number(value, zone)),
    "decimal": lambda value, zone: Decimal(_number(value, zone)),
    "date": _timed(as_date),
    "time": _timed(as_time),
    "timestamp": _timed(as_moment),
    "timestamptz": lambda value, zone: as_instant(_number(value, zone), zone),
}
_TIMED = frozenset({"date", "time", "timestamp", "timestamptz"})
