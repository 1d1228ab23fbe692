"""Staged rows with the columns back that only the names of folders hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dativo_provider.lake.constants import constants, identity_columns
from dativo_provider.lake.partition import from_json
from dativo_provider.lake.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

    from dativo_provider.model.run import StagedFile

__all__ = ["folder_columns", "with_folder_columns"]


def folder_columns(table: Table) -> list[str]:
    """Columns that files leave out because their folder says the value."""
    return list(identity_columns(table, table.spec()).values())


def with_folder_columns(
    batches: Iterator[pa.RecordBatch], table: Table, file: StagedFile, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    """`batches` of a file in the order of `columns`; of the table when None."""
    values = from_json(file.partition, table.spec(), table.schema())
    said = constants(table, table.spec(), values)
    for batch in batches:
        yield _completed(batch, said, columns or arrow_schema(table.schema()).names)


def _completed(batch: pa.RecordBatch, constants: Mapping[str, pa.Scalar], names: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    have = set(batch.schema.names)
    wanted = [name for name in names if name in have or name in constants]
    columns = [batch.column(name) if name in have else pa.repeat(constants[name], batch.num_rows) for name in wanted]
    return pa.RecordBatch.from_arrays(columns, names=wanted)
