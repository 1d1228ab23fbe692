"""Staged rows with the columns back that only the names of folders hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.partition import from_json
from dativo_provider.lake.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

    from dativo_provider.model.run import StagedFile

__all__ = ["folder_columns", "with_folder_columns"]


def folder_columns(table: Table) -> list[str]:
    """Columns that files leave out because their folder says the value."""
    from pyiceberg.transforms import IdentityTransform

    fields = [field for field in table.spec().fields if isinstance(field.transform, IdentityTransform)]
    return [table.schema().find_column_name(field.source_id) or "" for field in fields]


def with_folder_columns(
    batches: Iterator[pa.RecordBatch], table: Table, file: StagedFile, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    """`batches` of a file in the order of `columns`; of the table when None."""
    constants = _constants(table, file)
    for batch in batches:
        yield _completed(batch, constants, columns or arrow_schema(table.schema()).names)


def _constants(table: Table, file: StagedFile) -> Mapping[str, pa.Scalar]:
    found = from_json(file.partition, table.spec(), table.schema())
    values = {field.name: value for field, value in zip(table.spec().fields, found, strict=True)}
    kinds = arrow_schema(table.schema())
    return {name: _scalar(values[name], kinds.field(name).type) for name in folder_columns(table)}


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar:
    """From Iceberg's representation: days and microseconds."""
    import pyarrow as pa

    storage = pa.int32() if pa.types.is_date32(kind) else pa.int64() if pa.types.is_temporal(kind) else kind
    return pa.scalar(value, storage).cast(kind)


def _completed(batch: pa.RecordBatch, constants: Mapping[str, pa.Scalar], names: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    have = set(batch.schema.names)
    wanted = [name for name in names if name in have or name in constants]
    columns = [batch.column(name) if name in have else pa.repeat(constants[name], batch.num_rows) for name in wanted]
    return pa.RecordBatch.from_arrays(columns, names=wanted)
