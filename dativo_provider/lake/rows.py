"""Rows of single data files, in file order and with the columns of the table as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.constants import constants, filled
from dativo_provider.lake.sink import filesystem_of
from dativo_provider.lake.translate import translated

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.schema import Schema
    from pyiceberg.table import FileScanTask, Table

__all__ = ["file_rows", "live_tasks"]

_BATCH_ROWS = 131_072
_BATCH_BYTES = 32 << 20


def live_tasks(
    table: Table, row_filter: BooleanExpression | None = None, snapshot_id: int | None = None
) -> list[FileScanTask]:
    """Live data files that may hold such rows, by partitions and column bounds, each with its delete files."""
    from pyiceberg.expressions import AlwaysTrue

    if table.current_snapshot() is None:
        return []
    wanted = AlwaysTrue() if row_filter is None else row_filter
    return list(table.scan(row_filter=wanted, snapshot_id=snapshot_id).plan_files())


def file_rows(table: Table, task: FileScanTask, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """All columns when None. The same rows in the same order each time, whatever schema the file was written in."""
    schema = table.schema().select(*columns) if columns is not None else table.schema()
    with translated(task.file.file_path):
        yield from _undeleted(table, task, schema) if task.delete_files else _streamed(table, task, schema)


def _streamed(table: Table, task: FileScanTask, wanted: Schema) -> Iterator[pa.RecordBatch]:
    """Row group by row group. PyIceberg's own scan holds a whole file."""
    import pyarrow.parquet as pq
    from pyiceberg.io.pyarrow import pyarrow_to_schema
    from pyiceberg.schema import prune_columns

    filesystem, path = filesystem_of(table.io, task.file.file_path)
    with pq.ParquetFile(path, filesystem=filesystem, pre_buffer=False) as opened:
        whole = pyarrow_to_schema(opened.schema_arrow, table.name_mapping(), downcast_ns_timestamp_to_us=True)
        have = prune_columns(whole, _ids(wanted), select_full_types=False)
        said = _said(table, task, have, wanted)
        if not have.fields:  # every wanted column is younger than the file, or its folder says it
            yield from (filled(batch, said) for batch in _absent(wanted, opened.metadata.num_rows))
            return
        for batch in opened.iter_batches(_batch_rows(opened.metadata), columns=[field.name for field in have.fields]):
            yield filled(_projected(batch, have, wanted), said)


def _said(table: Table, task: FileScanTask, have: Schema, wanted: Schema) -> Mapping[str, pa.Scalar]:
    """Wanted columns that the file leaves out because its partition says their value."""
    spec = table.specs()[task.file.spec_id]
    found = constants(table, spec, [task.file.partition[position] for position in range(len(spec.fields))])
    absent = {field.name for field in wanted.fields if field.field_id not in have.field_ids}
    return {name: value for name, value in found.items() if name in absent}


def _batch_rows(footer: pq.FileMetaData) -> int:
    """Fewer where rows are wide."""
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    widest = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1.0)
    return max(256, min(_BATCH_ROWS, int(_BATCH_BYTES / max(1.0, widest))))


def _ids(schema: Schema) -> set[int]:
    from pyiceberg.types import ListType, MapType

    return {each for each in schema.field_ids if not isinstance(schema.find_type(each), ListType | MapType)}


def _projected(batch: pa.RecordBatch, have: Schema, wanted: Schema) -> pa.RecordBatch:
    """By field id: renamed, widened and added columns, at every depth."""
    from pyiceberg.io.pyarrow import _to_requested_schema

    fitted: pa.RecordBatch = _to_requested_schema(
        wanted, have, batch.select([field.name for field in have.fields]), downcast_ns_timestamp_to_us=True
    )
    return fitted


def _absent(wanted: Schema, rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    from dativo_provider.lake.schema import arrow_schema

    schema = arrow_schema(wanted)
    for start in range(0, rows, _BATCH_ROWS):
        count = min(_BATCH_ROWS, rows - start)
        yield pa.RecordBatch.from_arrays([pa.nulls(count, field.type) for field in schema], schema=schema)


def _undeleted(table: Table, task: FileScanTask, wanted: Schema) -> Iterator[Any]:
    """Files from which another engine has deleted rows by position: PyIceberg's scan knows how to leave them out."""
    from pyiceberg.expressions import AlwaysTrue
    from pyiceberg.io.pyarrow import ArrowScan

    yield from ArrowScan(table.metadata, table.io, wanted, AlwaysTrue()).to_record_batches([task])
