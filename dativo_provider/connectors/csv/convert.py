"""Arrow's CSV parser, held to what the cast accepts: https://arrow.apache.org/docs/python/csv.html"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as t

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.model.batch import one_array
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow

__all__ = ["doubtful", "has_hexadecimal", "read_text", "typed_columns"]

_FIRST, _LAST = -62135596800000000, 253402300799999999  # years 1 to 9999, in microseconds
_DAY = 86_400_000_000
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_TYPED = frozenset("boolean int long float double date timestamp timestamptz time".split())


def typed_columns(fields: Sequence[Field], names: Sequence[str], as_text: Sequence[str]) -> dict[str, pa.DataType]:
    """The Arrow types to parse columns as; those of no field, or of a type only the cast knows, stay text."""
    kinds = {field.name: field.type for field in fields if field.name not in as_text}
    return {
        name: to_arrow(kinds[name])
        for name in names
        if name in kinds and (kinds[name] in _TYPED or _exact_decimal(kinds[name]))
    }


def _exact_decimal(kind: str) -> bool:
    """Arrow notices a decimal that overflows only where the wrapped value cannot fit the type: precision + scale
    up to 38. Others are the cast's, which is exact for all."""
    match = _DECIMAL.fullmatch(kind)
    return match is not None and int(match[1]) + int(match[2]) <= 38


def read_text(
    text: bytes,
    names: Sequence[str],
    dialect: Dialect,
    types: Mapping[str, pa.DataType],
    refuse: Callable[[pacsv.InvalidRow], str],
) -> pa.RecordBatch:
    """`text` is whole records of UTF-8; columns without a type in `types` are text. Raises `pyarrow.ArrowInvalid`."""
    table = pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(
            column_names=list(names), use_threads=False, block_size=max(len(text) + 1, 1024)
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote_char or False,
            escape_char=dialect.escape_char or False,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=refuse,
        ),
        convert_options=pacsv.ConvertOptions(
            check_utf8=False,
            column_types={name: types.get(name, pa.string()) for name in names},
            null_values=list(dialect.null_values),
            true_values=["true", "True", "TRUE"],
            false_values=["false", "False", "FALSE"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return pa.RecordBatch.from_arrays([one_array(column) for column in table.columns], schema=table.schema)


def has_hexadecimal(text: bytes) -> bool:
    """Arrow would read 0x1F as 31."""
    return (b"x" in text and b"0x" in text) or (b"X" in text and b"0X" in text)


def doubtful(data: pa.RecordBatch) -> list[str]:
    """Columns with a value that Arrow took but their type cannot hold or no engine can show."""
    return [name for name, column in zip(data.schema.names, data.columns, strict=True) if _is_doubtful(column)]


def _is_doubtful(column: pa.Array) -> bool:
    kind = column.type
    if t.is_floating(kind):
        return bool(pc.any(pc.is_inf(column)).as_py())
    if t.is_decimal(kind):  # Arrow checks the scale, not the precision
        whole = kind.precision - kind.scale
        return _beyond(column, -(Decimal(10) ** whole), Decimal(10) ** whole)
    if t.is_date(kind):
        return _beyond(pc.cast(column, pa.int32()), _FIRST // _DAY - 1, _LAST // _DAY + 1)
    if t.is_timestamp(kind):
        return _beyond(pc.cast(column, pa.int64()), _FIRST - 1, _LAST + 1)
    return False


def _beyond(column: pa.Array, low: Decimal | int, high: Decimal | int) -> bool:
    span = pc.min_max(column)
    least, most = span["min"].as_py(), span["max"].as_py()
    return least is not None and (least <= low or most >= high)
