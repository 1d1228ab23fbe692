"""Rows of a data file as the table has them now: columns by field id, widened, added and dropped since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dativo_provider.lake.sink import filesystem_of
from dativo_provider.lake.translate import translated

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

__all__ = ["rows_of"]

_BATCH_BYTES = 8 << 20
_MOST_ROWS = 65_536


def rows_of(table: Table, file: DataFile) -> Iterator[pa.RecordBatch]:
    """In the file's order, a few MB at a time whatever its row groups hold."""
    import pyarrow.parquet as pq
    from pyiceberg.io.pyarrow import _to_requested_schema, pyarrow_to_schema

    with translated(file.file_path):
        filesystem, path = filesystem_of(table.io, file.file_path)
        with pq.ParquetFile(path, filesystem=filesystem, pre_buffer=False, buffer_size=1 << 20) as opened:
            have = pyarrow_to_schema(
                opened.schema_arrow, name_mapping=table.name_mapping(), downcast_ns_timestamp_to_us=True
            )
            for batch in opened.iter_batches(_batch_rows(opened.metadata)):
                yield _to_requested_schema(table.schema(), have, batch, downcast_ns_timestamp_to_us=True)


def _batch_rows(footer: pq.FileMetaData) -> int:
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    widest = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1.0)
    return max(256, min(_MOST_ROWS, int(_BATCH_BYTES / max(1.0, widest))))
