"""Proposes column types from the first rows of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as t

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.parse import text_of

__all__ = ["column_types", "merged"]

_NAME = r"^[+-]?0[0-9xX]"  # 007 and 0x1F are names
_ROUNDED = r"|^[+-]?[0-9]{16,}$|[nN]"  # what a double would round, and nan and inf


def column_types(text: bytes, names: Sequence[str], dialect: Dialect) -> dict[str, str]:
    """The type of each column that has a value; `text` holds whole records."""
    values = text_of(text, names, dialect)
    return {
        name: _kind(column)
        for name, column in zip(names, values.columns, strict=True)
        if column.null_count < len(column)
    }


def merged(samples: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One type per column over several files: the narrower where it fits into the wider, else text."""
    found: dict[str, str] = {}
    for sample in samples:
        for name, kind in sample.items():
            found[name] = _wider(found.get(name, kind), kind)
    return found


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    return "double" if {one, other} == {"long", "double"} else "string"


def _kind(column: pa.StringArray) -> str:
    """Arrow's own inference on the column alone, unless a number of that type would not be what the text says."""
    kind = _name(_inferred(column))
    unlike = {"long": _NAME, "double": _NAME + _ROUNDED}.get(kind)
    return "string" if unlike and pc.any(pc.match_substring_regex(column, unlike)).as_py() else kind


def _inferred(column: pa.StringArray) -> pa.DataType:
    filled = column.drop_null()
    lines = pc.binary_join_element_wise('"', pc.replace_substring(filled, '"', '""'), '"', "")
    text = "\n".join(lines.to_pylist()).encode() + b"\n"
    options = pacsv.ConvertOptions(
        null_values=[], true_values=["true", "True", "TRUE"], false_values=["false", "False", "FALSE"]
    )
    table = pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(column_names=["x"], use_threads=False, block_size=max(len(text) + 1, 1024)),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=options,
    )
    return table.schema[0].type


def _name(kind: pa.DataType) -> str:
    if t.is_int64(kind):
        return "long"
    if t.is_floating(kind):
        return "double"
    if t.is_boolean(kind):
        return "boolean"
    if t.is_date(kind):
        return "date"
    if t.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return "string"
