"""Writers of one plan's files: rows for its table, rows for its quarantine, and marks (keys that say something)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from dativo_provider.files import join
from dativo_provider.lake.datafile import left_out, run_folder
from dativo_provider.lake.personal import personal_columns
from dativo_provider.lake.sink import Encoding, ParquetSink, sync_folders
from dativo_provider.lake.writer import LakeFileWriter
from dativo_provider.model.budget import USUAL, Budget
from dativo_provider.model.run import Plan, StagedFile
from dativo_provider.model.target import StagedFileWriter

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

__all__ = ["UNBOUNDED_IN_QUARANTINE", "MarkWriter", "quarantine_writer", "table_writer"]

UNBOUNDED_IN_QUARANTINE = frozenset({"raw", "source_reference", "row_id"})  # may hold what a person's row held
_MARK_BYTES = 32 << 20


def table_writer(
    table: Table, plan: Plan, prefix: str, budget: Budget = USUAL, *, in_order: bool = False
) -> LakeFileWriter:
    return LakeFileWriter(
        table,
        run_folder(plan.table_location, plan.plan_id),
        prefix,
        target_bytes=plan.job.target.file_size_mb << 20,
        encoding=Encoding(plan.job.target.compression, _looked_for(plan)),
        unbounded=personal_columns(plan.fields),
        in_order=in_order,
        left_out=() if in_order else left_out(table),
        budget=budget,
    )


def _looked_for(plan: Plan) -> frozenset[str]:
    """Columns whose values are looked for among published ones."""
    unique = (each for each in plan.checks if each.kind == "uniqueness" and each.params.get("scope") == "table")
    return frozenset(plan.spec.identity).union(*(check.columns for check in unique))


def quarantine_writer(table: Table, plan: Plan, prefix: str, budget: Budget) -> LakeFileWriter:
    return LakeFileWriter(
        table,
        run_folder(plan.quarantine_location, plan.plan_id),
        prefix,
        target_bytes=plan.job.target.file_size_mb << 20,
        encoding=Encoding(plan.job.target.compression),
        unbounded=UNBOUNDED_IN_QUARANTINE,
        budget=budget,
    )


class MarkWriter(StagedFileWriter):
    """One plain Parquet file beside the staged data; it never becomes a part of the table."""

    def __init__(self, table: Table, plan: Plan, prefix: str) -> None:
        name = f"{prefix}-marks-{secrets.token_hex(4)}.parquet"
        self._table, self._uri = table, join(run_folder(plan.table_location, plan.plan_id), name)
        self._pending: list[pa.RecordBatch] = []
        self._sink: ParquetSink | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._pending.append(batch)
        if sum(each.nbytes for each in self._pending) >= _MARK_BYTES:
            self._drain()

    def close(self) -> tuple[StagedFile, ...]:
        self._drain()
        if self._sink is None:
            return ()
        _footer, size = self._sink.close()
        sync_folders([self._uri])
        stats = {"table": str(self._table.metadata.table_uuid)}
        return (StagedFile(self._uri, self._sink.rows, size, stats=stats),)

    def abort(self) -> None:
        if self._sink is not None:
            self._sink.abort()

    def _drain(self) -> None:
        import pyarrow as pa

        if not self._pending:
            return
        rows, self._pending = pa.Table.from_batches(self._pending), []
        if self._sink is None:
            self._sink = ParquetSink(self._table.io, self._uri, rows.schema, {"compression": "zstd"})
        self._sink.write(rows)
