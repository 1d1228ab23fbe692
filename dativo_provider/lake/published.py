"""Published rows that may have one of some keys, out of the fewest files: partitions and bounds rule most of them out,
bloom filters others where the keys are few. One row group is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.bloom import may_hold
from dativo_provider.lake.history import said
from dativo_provider.lake.read import typed, within
from dativo_provider.lake.rows import file_rows, live_tasks
from dativo_provider.lake.schema import arrow_schema
from dativo_provider.lake.translate import translated
from dativo_provider.model.stream import Field
from dativo_provider.model.target import PublishedRows

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import FileScanTask, Table

__all__ = ["Ranges", "rows_within"]

Ranges = Mapping[str, tuple[Any, Any]]


def rows_within(
    table: Table, snapshot_id: int, ranges: Ranges, keys: Mapping[str, Sequence[Any]], fields: Sequence[Field]
) -> PublishedRows:
    """Columns `fields` (those of `ranges`) by the names they have now; `keys` as in `Target.published_within`."""
    import pyarrow as pa

    with translated(".".join(table.name())):
        tasks = live_tasks(table, within(ranges), snapshot_id)
        left = [task for task in tasks if not keys or may_hold(table, task, keys)]
        total = _files(table, snapshot_id, len(tasks))
    schema = arrow_schema(table.schema().select(*ranges))
    rows = pa.RecordBatchReader.from_batches(schema, _rows(table, left, ranges, schema))
    return PublishedRows(typed(rows, fields), total, total - len(tasks), len(tasks) - len(left))


def _files(table: Table, snapshot_id: int, known: int) -> int:
    snapshot = table.snapshot_by_id(snapshot_id)
    return max(known, int(said(snapshot).get("total-data-files", known))) if snapshot else known


def _rows(table: Table, tasks: Sequence[FileScanTask], ranges: Ranges, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for task in tasks:
        for batch in file_rows(table, task, list(ranges)):
            yield _between(batch.select(schema.names).cast(schema), ranges)


def _between(rows: pa.RecordBatch, ranges: Ranges) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, ends in ranges.items():
        for end, holds in zip(ends, (pc.greater_equal, pc.less_equal), strict=True):
            if end is not None:
                column = rows.column(name)
                rows = rows.filter(holds(column, pa.scalar(end, column.type)))
    return rows
