"""Arrow columns as JSON values that lose nothing, whatever the source held."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

__all__ = ["columns_as_json"]


def columns_as_json(data: pa.RecordBatch, rows: pa.BooleanArray) -> list[list[Any]]:
    """The values of the marked rows, column by column."""
    return [_column(_without_views(column).filter(rows)) for column in data.columns]


def _without_views(values: pa.Array) -> pa.Array:
    """Arrow cannot filter string views."""
    if t.is_string_view(values.type):
        return pc.cast(values, pa.string())
    return pc.cast(values, pa.binary()) if t.is_binary_view(values.type) else values


def _column(values: pa.Array) -> list[Any]:
    if isinstance(values, pa.ExtensionArray):
        return _column(values.storage)
    if t.is_dictionary(values.type):
        return _column(values.dictionary_decode())
    for test, convert in _KINDS:
        if test(values.type):
            return convert(values)
    return [_plain(value) for value in _pylist(values)]


def _temporal(values: pa.Array) -> list[Any]:
    """Arrow's own text: it also writes years that Python's datetime cannot."""
    if t.is_timestamp(values.type) and values.type.tz:
        values = pc.cast(values, pa.timestamp(values.type.unit, tz="UTC"))
    if t.is_duration(values.type) or t.is_interval(values.type):
        return [None if value is None else str(value) for value in _pylist(values)]
    return pc.cast(values, pa.string()).to_pylist()  # type: ignore[no-any-return]


def _float(values: pa.Array) -> list[Any]:
    """float32 by its shortest text, which as a double would show digits it never had."""
    if not t.is_float64(values.type):
        values = pc.cast(pc.cast(values, pa.string()), pa.float64())
    return [_plain(value) for value in values.to_pylist()]


def _decimal(values: pa.Array) -> list[Any]:
    return [None if value is None else format(value, "f") for value in values.to_pylist()]


def _binary(values: pa.Array) -> list[Any]:
    return [None if value is None else "\\x" + value.hex() for value in values.to_pylist()]


def _map(values: pa.Array) -> list[Any]:
    """Pairs, as keys may be of any type; an empty one as an object, or it would be an empty list."""
    return [{} if value == [] else _plain(value) for value in _pylist(values)]


def _as_is(values: pa.Array) -> list[Any]:
    return values.to_pylist()  # type: ignore[no-any-return]


def _pylist(values: pa.Array) -> list[Any]:
    try:
        return values.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):
        return [values[at : at + 1].to_string() for at in range(len(values))]


def _plain(value: Any) -> Any:
    """What is inside nested values."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)


_KINDS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[Any]]], ...] = (
    (t.is_temporal, _temporal),
    (t.is_floating, _float),
    (t.is_decimal, _decimal),
    (t.is_map, _map),
    (lambda k: t.is_binary(k) or t.is_large_binary(k) or t.is_fixed_size_binary(k), _binary),
    (lambda k: t.is_boolean(k) or t.is_integer(k) or t.is_string(k) or t.is_large_string(k), _as_is),
)
