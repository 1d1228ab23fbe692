"""Rows as cells: numbers that a double holds, truth and text; dates as serial numbers with a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dativo_provider.connectors.google.sheets.serial import serial_of
from dativo_provider.errors import DataError
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["format_of", "rows_of"]

_EXACT = 2**53
_DIGITS = 15  # that a double tells apart
_LONGEST = 50_000  # characters of a cell
_FORMATS: Mapping[str, Mapping[str, str]] = {
    "date": {"type": "DATE", "pattern": "yyyy-mm-dd"},
    "timestamp": {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss.000"},
    "timestamptz": {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss.000"},
    "time": {"type": "TIME", "pattern": "hh:mm:ss.000"},
}
Cell = bool | int | float | str


def format_of(field: Field) -> Mapping[str, str] | None:
    """The number format of a column; None where cells are shown as they are."""
    return _FORMATS.get(field.type)


def rows_of(batch: pa.RecordBatch, fields: Sequence[Field], zone: str) -> list[list[Cell]]:
    """NULL is an empty cell, as is the empty string. Raises `DataError` for text that no cell holds."""
    columns = [_column(batch.column(field.name).to_pylist(), field, zone) for field in fields]
    return [list(row) for row in zip(*columns, strict=True)] if columns else []


def _column(values: Sequence[Any], field: Field, zone: str) -> list[Cell]:
    show = _SHOWN.get(field.type.partition("(")[0], _text)
    shown = ["" if value is None else show(value, zone) for value in values]
    if any(isinstance(cell, str) and len(cell) > _LONGEST for cell in shown):
        raise DataError(
            f"'{field.name}' has text of more than {_LONGEST} characters, which no cell holds", where=field.name,
            remedy="cut it with a transformation, or leave the column out",
        )  # fmt: skip
    return shown


def _text(value: Any, _: str) -> Cell:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()


def _whole(value: int, _: str) -> Cell:
    return value if abs(value) <= _EXACT else str(value)


def _fraction(value: float, _: str) -> Cell:
    return value if value - value == 0 else str(value)  # JSON has neither nan nor infinity


def _decimal(value: Decimal, _: str) -> Cell:
    return float(value) if len(value.normalize().as_tuple().digits) <= _DIGITS else format(value, "f")


def _moment(value: datetime, _: str) -> Cell:
    return serial_of(value)


def _instant(value: datetime, zone: str) -> Cell:
    return serial_of(value.astimezone(ZoneInfo(zone)))


def _day(value: date, _: str) -> Cell:
    return round(serial_of(datetime.combine(value, time())))


def _time(value: time, _: str) -> Cell:
    return serial_of(datetime.combine(date(1899, 12, 30), value))


_SHOWN: Mapping[str, Callable[[Any, str], Cell]] = {
    "boolean": lambda value, _: bool(value),
    "int": _whole,
    "long": _whole,
    "float": _fraction,
    "double": _fraction,
    "decimal": _decimal,
    "date": _day,
    "time": _time,
    "timestamp": _moment,
    "timestamptz": _instant,
}
