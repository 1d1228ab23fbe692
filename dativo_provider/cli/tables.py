"""A job's rows for people: published tables, quarantine, staged files; as Arrow through PyIceberg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from dativo_provider.errors import ConfigurationError, DativoError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from pyiceberg.table import Table

    from dativo_provider.cli.sql import Reading
    from dativo_provider.lake.iceberg import IcebergTarget
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec
    from dativo_provider.model.run import Plan, StagedFile

__all__ = ["Rows", "check_catalog", "first_rows", "published", "register", "staged"]


class Rows(Protocol):
    """A table a query may name."""

    def columns(self) -> list[str]: ...
    def read(self, columns: Sequence[str]) -> pa.RecordBatchReader: ...


@dataclass(frozen=True)
class PublishedRows:
    table: Table
    snapshot_id: int | None = None  # None: the current one

    def columns(self) -> list[str]:
        return [field.name for field in self.table.scan(snapshot_id=self.snapshot_id).projection().fields]

    def read(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        from dativo_provider.lake.read import scan

        return scan(self.table, columns=columns, snapshot_id=self.snapshot_id)


@dataclass(frozen=True)
class StagedRows:
    """Files of one run, whether they were published or not."""

    plan: Plan
    files: Sequence[StagedFile]
    schema: pa.Schema
    target: Any

    def columns(self) -> list[str]:
        return list(self.schema.names)

    def read(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        import pyarrow as pa

        batches = self.target.read_staged(self.plan, self.files, list(columns)) if self.files else iter(())
        first = next(batches, None)
        if first is None:
            return pa.RecordBatchReader.from_batches(pa.schema([self.schema.field(name) for name in columns]), [])
        return pa.RecordBatchReader.from_batches(first.schema, _chain(first, batches))


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def open_lake(job: JobSpec, ctx: RunContext) -> IcebergTarget:
    """The job's target: tables in a catalog, or folders that are one."""
    from dativo_provider.pipeline.targets import open_target

    return cast("IcebergTarget", open_target(job, ctx))


def published(job: JobSpec, ctx: RunContext, as_of: str | None = None) -> dict[str, Rows]:
    """`<table>` and `<table>_quarantine` of every stream, as far as they exist (and have the version `as_of`).

    Raises `ConfigurationError` when none has that version.
    """
    from dativo_provider.lake.table import find_table, quarantine_name

    target, found = open_lake(job, ctx), dict[str, Rows]()
    if as_of:
        target.check_versions("--as-of", job.path or job.dag_id)
    missing: ConfigurationError | None = None
    for stream in job.streams:
        main = target.name_of(job, stream)
        for name in (main, quarantine_name(main)):
            if table := find_table(target.catalog, name):
                try:
                    version = _version(target, table, as_of) if as_of else None
                except ConfigurationError as problem:
                    missing = missing or problem  # the main table's, which comes first
                    continue
                found[name.rpartition(".")[2]] = PublishedRows(table, version)
    if missing and not found:
        raise missing
    return found


def _version(target: IcebergTarget, table: Table, as_of: str) -> int:
    from dativo_provider.lake.refs import find_snapshot

    found = find_snapshot(table, as_of)
    target.allow(table, found, "read")
    return int(found.snapshot_id)


def check_catalog(job: JobSpec, ctx: RunContext) -> str:
    """A sentence on what is there. Raises what a publish would raise."""
    from dativo_provider.lake.table import find_table
    from dativo_provider.lake.translate import translated

    target = open_lake(job, ctx)
    catalog = target.catalog
    with translated(f"catalog {catalog.name}"):
        catalog.list_namespaces()
    names = [target.name_of(job, stream) for stream in job.streams]
    known = ", ".join(f"{name} {'exists' if find_table(catalog, name) else 'will be made'}" for name in names)
    return f"catalog {catalog.name} answers; {known}"


def first_rows(job: JobSpec, table: str, ctx: RunContext, most: int = 5) -> list[dict[str, Any]]:
    """A few rows as any reader of the table sees them; none when it cannot be read, which is no run's failure."""
    from dativo_provider.lake.read import scan
    from dativo_provider.lake.table import find_table

    try:
        found = find_table(open_lake(job, ctx).catalog, table)
        rows = scan(found, limit=most) if found else []
        return [row for batch in rows for row in batch.to_pylist()]
    except (DativoError, OSError):
        return []


def staged(job: JobSpec, plan_id: str, ctx: RunContext) -> dict[str, Rows]:
    """The staged rows and quarantine of one run. Raises `ConfigurationError` when there is no such run."""
    from dativo_provider.pipeline.workplace import open_run

    plan_uri = find_plan(job, plan_id, ctx)
    folder, plan, target = open_run(plan_uri, ctx)
    manifests = [manifest for piece in plan.slices if (manifest := folder.manifest(piece.index))]
    transformed = folder.transformed()
    data = [transformed] if transformed else manifests
    quarantine = [*manifests, *([transformed] if transformed else [])]
    name, schemas = plan.spec.table, _schemas(plan)
    files = [file for manifest in data for file in manifest.files]
    aside = [file for manifest in quarantine for file in manifest.quarantine]
    return {
        name: StagedRows(plan, files, schemas[0], target),
        f"{name}_quarantine": StagedRows(plan, aside, schemas[1], target),
    }


def find_plan(job: JobSpec, plan_id: str, ctx: RunContext) -> str:
    from dativo_provider.pipeline.workplace import run_files, runs_folder

    for stream in job.streams:
        uri = f"{runs_folder(job, stream.name, ctx)}/{plan_id}/plan.json"
        if "/" not in plan_id and run_files(uri, ctx).exists(uri):
            return uri
    raise ConfigurationError(
        f"there is no run '{plan_id}' of {job.dag_id}",
        where=runs_folder(job, job.streams[0].name, ctx),
        remedy=f"see the runs: dativo runs --job {job.dag_id}",
    )


def _schemas(plan: Plan) -> tuple[pa.Schema, pa.Schema]:
    import pyarrow as pa

    from dativo_provider.model.tables import QUARANTINE_FIELDS, SYSTEM_FIELDS
    from dativo_provider.model.types import to_arrow

    fields = (*plan.fields, *(SYSTEM_FIELDS if plan.job.target.system_columns else ()))
    data, quarantine = ([(f.name, to_arrow(f.type)) for f in each] for each in (fields, QUARANTINE_FIELDS))
    return pa.schema(data), pa.schema(quarantine)


def register(connection: duckdb.DuckDBPyConnection, rows: Mapping[str, Rows], reading: Reading) -> None:
    """Hands over what the statement reads. A table that is read twice is copied first: a stream can be read once."""
    known = {name.lower(): each for name, each in rows.items()}
    missing = sorted(set(reading.tables) - set(known) - reading.ctes)
    if missing:
        raise ConfigurationError(
            f"there is no table {', '.join(missing)}",
            remedy=f"this job has: {', '.join(rows) or 'no table yet; run it first'}",
        )
    for name, times in reading.tables.items():
        if name not in known:
            continue
        stream = known[name].read(reading.wanted(known[name].columns()))
        if times == 1:
            connection.register(name, stream)
        else:
            connection.register("incoming", stream)
            connection.execute(f'create table "{name}" as from incoming')
            connection.unregister("incoming")
