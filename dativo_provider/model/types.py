"""Column types in one spelling: Iceberg's names (https://iceberg.apache.org/spec/#schemas-and-data-types).

`boolean int long float double decimal(P,S) date time timestamp timestamptz string uuid binary`,
`list<T>`, `map<K,V>`, `struct<name:T,...>`. Arrow conversions import pyarrow when called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, Unsupported

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_type", "from_arrow", "split_nested", "to_arrow"]

PRIMITIVES = frozenset("boolean int long float double date time timestamp timestamptz string uuid binary".split())
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
_NESTED = re.compile(r"(list|map|struct)<(.*)>")


def split_nested(name: str) -> tuple[str, list[str]] | None:
    """`map<string,list<int>>` → `("map", ["string", "list<int>"])`; None for a primitive."""
    match = _NESTED.fullmatch(name)
    return (match[1], list(_split_commas(match[2]))) if match else None


def _split_commas(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += char in "<("
        depth -= char in ">)"
        if char == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def check_type(name: str) -> str:
    """`name` when it is a type of the grammar above. Raises `ConfigurationError`."""
    nested = split_nested(name)
    if nested:
        kind, parts = nested
        for part in parts:
            check_type(part.partition(":")[2] if kind == "struct" else part)
    elif name not in PRIMITIVES and not _valid_decimal(name):
        raise ConfigurationError(
            f"unknown type '{name}'",
            remedy=f"use one of {', '.join(sorted(PRIMITIVES))}, decimal(P,S), list<…>, …",
        )
    return name


def _valid_decimal(name: str) -> bool:
    match = _DECIMAL.fullmatch(name)
    return match is not None and 0 < int(match[1]) <= 38 and int(match[2]) <= int(match[1])


def to_arrow(name: str) -> pa.DataType:
    """The Arrow type rows of this column have between reader and Parquet file (`uuid` travels as string)."""
    import pyarrow as pa

    nested = split_nested(name)
    if nested:
        return _nested_to_arrow(*nested)
    if match := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(match[1]), int(match[2]))
    makers: dict[str, Callable[[], pa.DataType]] = {
        "boolean": pa.bool_, "int": pa.int32, "long": pa.int64, "float": pa.float32, "double": pa.float64,
        "date": pa.date32, "string": pa.string, "uuid": pa.string, "binary": pa.binary,
        "time": lambda: pa.time64("us"), "timestamp": lambda: pa.timestamp("us"),
        "timestamptz": lambda: pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return makers[check_type(name)]()


def _nested_to_arrow(kind: str, parts: list[str]) -> pa.DataType:
    import pyarrow as pa

    if kind == "list":
        return pa.list_(to_arrow(parts[0]))
    if kind == "map":
        return pa.map_(to_arrow(parts[0]), to_arrow(parts[1]))
    named = (part.partition(":") for part in parts)
    return pa.struct([pa.field(name, to_arrow(inner)) for name, _, inner in named])


def from_arrow(kind: pa.DataType) -> str:
    """The narrowest type of the grammar that holds every value of `kind`. Raises `Unsupported`."""
    import pyarrow.types as t

    if t.is_dictionary(kind):
        return from_arrow(kind.value_type)
    if t.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if t.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        return f"list<{from_arrow(kind.value_type)}>"
    if t.is_map(kind):
        return f"map<{from_arrow(kind.key_type)},{from_arrow(kind.item_type)}>"
    if t.is_struct(kind):
        return "struct<" + ",".join(f"{f.name}:{from_arrow(f.type)}" for f in kind) + ">"
    for test, name in _arrow_primitives():
        if test(kind):
            return name
    raise Unsupported(f"Arrow type {kind} has no Iceberg type", remedy="cast the column in the source query")


def _arrow_primitives() -> list[tuple[Callable[[pa.DataType], bool], str]]:
    import pyarrow.types as t

    return [
        (t.is_boolean, "boolean"),
        (lambda k: t.is_int8(k) or t.is_int16(k) or t.is_int32(k) or t.is_uint8(k) or t.is_uint16(k), "int"),
        (lambda k: t.is_int64(k) or t.is_uint32(k), "long"),
        (t.is_uint64, "decimal(20,0)"),
        (lambda k: t.is_float16(k) or t.is_float32(k), "float"),
        (t.is_float64, "double"),
        (t.is_date, "date"),
        (t.is_time, "time"),
        (lambda k: t.is_string(k) or t.is_large_string(k) or t.is_string_view(k) or t.is_null(k), "string"),
        (lambda k: t.is_binary(k) or t.is_large_binary(k) or t.is_fixed_size_binary(k), "binary"),
    ]
