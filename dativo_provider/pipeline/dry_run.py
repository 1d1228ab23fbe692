"""A dry run's target: the real one's state and keys to read, and a temporary folder to write to."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.run import Lane, Manifest, Plan, Published, StagedFile, State
from dativo_provider.model.stream import Cursor, Field
from dativo_provider.model.target import (
    PublishedRows,
    StagedFileWriter,
    StagedKind,
    TableVersion,
    Target,
    TargetTable,
)

__all__ = ["DryRunTarget", "dry_run_folder"]


def dry_run_folder() -> str:
    return Path(tempfile.mkdtemp(prefix="dativo-dry-run-")).as_uri()


class SampleWriter(StagedFileWriter):
    """One plain Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path, self._rows = path, 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        writer = self._writer or self._open(batch.schema)
        writer.write_batch(batch)
        self._rows += batch.num_rows

    def _open(self, schema: pa.Schema) -> pq.ParquetWriter:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._path, schema)
        return self._writer

    def close(self) -> tuple[StagedFile, ...]:
        if self._writer is None:
            return ()
        self._writer.close()
        return (StagedFile(self._path.as_uri(), self._rows, self._path.stat().st_size),)

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._path.unlink(missing_ok=True)


class DryRunTarget(Target):
    """Creates no table and publishes nothing."""

    def __init__(self, real: Target) -> None:
        self._real = real

    def prepare(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> TargetTable:
        table = f"{job.target.namespace}.{stream.table}"
        return TargetTable(table, "", f"{table}_quarantine", "")

    def columns(self, job: JobSpec, stream: StreamSpec) -> tuple[Field, ...] | None:
        return self._real.columns(job, stream)

    def changes(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> tuple[str, ...]:
        return self._real.changes(job, stream, fields)

    def version(self, job: JobSpec, table: str, version: str = "") -> TableVersion:
        return self._real.version(job, table, version)

    def state(self, job: JobSpec, stream: StreamSpec, lane: Lane) -> State:
        return self._real.state(job, stream, lane)

    def lanes(self, job: JobSpec, stream: StreamSpec) -> Mapping[str, int]:
        return self._real.lanes(job, stream)

    def stage(self, plan: Plan, piece: int, attempt: str, kind: StagedKind) -> StagedFileWriter:
        folder = Path(plan.folder.removeprefix("file://"))
        return SampleWriter(folder / kind / f"{piece}-{attempt}.parquet")

    def read_staged(
        self, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        for file in files:
            with pq.ParquetFile(file.path.removeprefix("file://"), pre_buffer=False) as parquet:
                yield from parquet.iter_batches(columns=list(columns) if columns else None)

    def published_keys(self, plan: Plan, columns: Sequence[str], low: Any, high: Any) -> pa.RecordBatchReader:
        return self._real.published_keys(plan, columns, low, high)

    def published_within(
        self, plan: Plan, ranges: Mapping[str, tuple[Any, Any]], keys: Mapping[str, Sequence[Any]] | None = None
    ) -> PublishedRows:
        return self._real.published_within(plan, ranges, keys)

    def quarantined_ids(self, plan: Plan) -> frozenset[str]:
        return self._real.quarantined_ids(plan)

    def has_rows(self, plan: Plan) -> bool:
        return self._real.has_rows(plan)

    def publish(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        return Published("dry_run", table=plan.table)

    def sweep(self, plan: Plan) -> int:
        return 0

    def sweep_old(self, plan: Plan) -> int:
        return 0
