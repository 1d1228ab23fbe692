"""Arrow's many types as the few that rows travel in."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.errors import Unsupported
from dativo_provider.model.types import from_arrow, to_arrow

__all__ = ["bare", "ordinals", "plain_batch", "plain_types"]


def ordinals(first: int, count: int) -> pa.Int64Array:
    """`first`, `first + 1`, and so on."""
    return pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count), start=first - 1)


def bare(rows: int) -> pa.RecordBatch:
    """Rows without a column: Arrow counts none where it is given none."""
    return pa.record_batch([pa.nulls(rows)], names=[""]).select([])


def plain_types(schema: pa.Schema) -> dict[str, str]:
    """In Iceberg's words; what they have no word for is text."""
    return {field.name: _word(field.type) for field in schema}


def plain_batch(data: pa.RecordBatch) -> pa.RecordBatch:
    """Values stay what they are, but for nanoseconds, which Iceberg's columns of microseconds do not hold."""
    if not data.num_columns:
        return data
    return pa.RecordBatch.from_arrays([_plain(each) for each in data.columns], names=data.schema.names)


def _word(kind: pa.DataType) -> str:
    try:
        return from_arrow(kind)
    except Unsupported:
        return "string"


def _plain(column: pa.Array) -> pa.Array:
    word = _word(column.type)
    wanted = to_arrow(word)
    if column.type == wanted:
        return column
    if t.is_dictionary(column.type):
        return _plain(pc.cast(column, column.type.value_type))
    try:
        return pc.cast(column, wanted, safe=not _counts_nanoseconds(column.type))
    except pa.ArrowException:
        return pa.array([None if each is None else str(each) for each in column.to_pylist()], pa.string())


def _counts_nanoseconds(kind: pa.DataType) -> bool:
    if t.is_nested(kind):
        return any(_counts_nanoseconds(kind.field(at).type) for at in range(kind.num_fields))
    return bool((t.is_timestamp(kind) or t.is_time(kind)) and kind.unit == "ns")
