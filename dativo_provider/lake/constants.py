"""Columns that files leave out because their partition says the value: plain folders, and files added from them.
https://iceberg.apache.org/spec/#column-projection"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.table import Table

__all__ = ["constants", "filled", "identity_columns"]


def identity_columns(table: Table, spec: PartitionSpec) -> dict[int, str]:
    """Columns of the table whose value a partition of `spec` says, by position in the partition."""
    from pyiceberg.transforms import IdentityTransform

    named = {
        position: table.schema().find_column_name(field.source_id)
        for position, field in enumerate(spec.fields)
        if isinstance(field.transform, IdentityTransform)
    }
    return {position: name for position, name in named.items() if name is not None}


def constants(table: Table, spec: PartitionSpec, values: Sequence[Any]) -> Mapping[str, pa.Scalar]:
    """Their values in a partition, given in Iceberg's representation."""
    kinds = arrow_schema(table.schema())
    return {
        name: _scalar(values[position], kinds.field(name).type)
        for position, name in identity_columns(table, spec).items()
    }


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar:
    """From Iceberg's representation: days and microseconds."""
    import pyarrow as pa

    storage = pa.int32() if pa.types.is_date32(kind) else pa.int64() if pa.types.is_temporal(kind) else kind
    return pa.scalar(value, storage).cast(kind)


def filled(batch: pa.RecordBatch, values: Mapping[str, pa.Scalar]) -> pa.RecordBatch:
    """`batch` with these columns replaced."""
    import pyarrow as pa

    for name, value in values.items():
        position = batch.schema.get_field_index(name)
        field = batch.schema.field(position)
        batch = batch.set_column(position, field, pa.repeat(value, batch.num_rows).cast(field.type))
    return batch
