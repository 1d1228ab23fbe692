"""Rows read back: of a table, of staged files nobody sees yet, and the keys that are published already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DataError, SourceChanged
from dativo_provider.lake.history import ancestors, said
from dativo_provider.lake.sink import filesystem_of
from dativo_provider.lake.translate import translated
from dativo_provider.model.run import StagedFile
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table

__all__ = ["before", "between", "no_rows", "row_count", "scan", "staged_rows", "within"]

_BATCH_ROWS = 65_536


def scan(
    table: Table,
    *,
    columns: Sequence[str] | None = None,
    row_filter: BooleanExpression | str | None = None,
    snapshot_id: int | None = None,
    limit: int | None = None,
) -> pa.RecordBatchReader:
    """Rows of the table's current (or the given) snapshot; manifests and footers prune by `row_filter`.

    Files are opened as they are read: that too raises `StorageUnavailable`.
    """
    import pyarrow as pa
    from pyiceberg.expressions import AlwaysTrue

    name = ".".join(table.name())
    with translated(name):
        found = table.scan(
            row_filter=AlwaysTrue() if row_filter is None else row_filter,
            selected_fields=tuple(columns) if columns is not None else ("*",),
            snapshot_id=snapshot_id,
            limit=limit,
        ).to_arrow_batch_reader()
    return pa.RecordBatchReader.from_batches(found.schema, _answered(found, name))


def _answered(rows: pa.RecordBatchReader, where: str) -> Iterator[pa.RecordBatch]:
    with translated(where):
        yield from rows


def typed(rows: pa.RecordBatchReader, fields: Sequence[Field]) -> pa.RecordBatchReader:
    """`rows` in our own Arrow types (PyIceberg reads text as `large_string`)."""
    import pyarrow as pa

    schema = _schema(fields)
    return pa.RecordBatchReader.from_batches(schema, (_cast(batch, schema) for batch in rows))


def no_rows(fields: Sequence[Field]) -> pa.RecordBatchReader:
    import pyarrow as pa

    return pa.RecordBatchReader.from_batches(_schema(fields), [])


def _schema(fields: Sequence[Field]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([pa.field(field.name, to_arrow(field.type)) for field in fields])


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([batch.column(f.name).cast(f.type) for f in schema], schema=schema)


def between(column: str, low: Any, high: Any) -> BooleanExpression:
    """Rows whose `column` lies in [low, high]; every row when both are None."""
    from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, LessThanOrEqual

    parts: list[BooleanExpression] = []
    if low is not None:
        parts.append(GreaterThanOrEqual(column, low))
    if high is not None:
        parts.append(LessThanOrEqual(column, high))
    return And(AlwaysTrue(), *parts) if parts else AlwaysTrue()


def within(ranges: Mapping[str, tuple[Any, Any]]) -> BooleanExpression:
    """Rows that lie in all of the ranges."""
    from pyiceberg.expressions import AlwaysTrue, And

    return And(AlwaysTrue(), AlwaysTrue(), *(between(name, low, high) for name, (low, high) in ranges.items()))


def before(table: Table, plan_id: str) -> int | None:
    """The snapshot that plan has or would have published upon; None where there was none.

    Raises `SourceChanged` when it has expired.
    """
    current = table.current_snapshot()
    for snapshot in ancestors(table.metadata, current.snapshot_id if current else None):
        if said(snapshot).get("dativo.run") == plan_id:
            parent: int | None = snapshot.parent_snapshot_id
            if parent is not None and table.snapshot_by_id(parent) is None:
                raise SourceChanged(
                    "what the table held before this run has expired", where=".".join(table.name()),
                    remedy="start a new run",
                )  # fmt: skip
            return parent
    return int(current.snapshot_id) if current else None


def row_count(table: Table) -> int:
    """Rows of the current snapshot as its manifests count them, without what delete files take away."""
    from dativo_provider.lake.datafile import live_files

    with translated(".".join(table.name())):
        return sum(file.record_count for file in live_files(table).values())


def staged_rows(io: Any, files: Sequence[StagedFile], columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """Raises `DataError` when a staged file has been swept."""
    import pyarrow.parquet as pq

    for file in files:
        with translated(file.path):
            filesystem, path = filesystem_of(io, file.path)
            try:
                opened = pq.ParquetFile(path, filesystem=filesystem, pre_buffer=False)
            except FileNotFoundError as problem:
                raise DataError(
                    "this staged file is gone", where=file.path, remedy="start a new run; nothing was published by it"
                ) from problem
        with opened:
            yield from opened.iter_batches(_BATCH_ROWS, columns=list(columns) if columns is not None else None)
