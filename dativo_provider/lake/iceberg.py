"""The Iceberg target: prepare, stage, publish, read back and sweep, for one job in one step."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import FileInfo, FileStore, canonical, open_files, scheme
from dativo_provider.lake import footers, read
from dativo_provider.lake.approval import Approval, publication, reject, waiting
from dativo_provider.lake.catalog import catalog_leaf, catalog_properties, open_catalog, warehouse_of
from dativo_provider.lake.commit import load
from dativo_provider.lake.crypt import seal_from, with_seal
from dativo_provider.lake.datafile import run_folder
from dativo_provider.lake.inbox import InboxTables
from dativo_provider.lake.lanes import lanes_of
from dativo_provider.lake.modes.registry import check_alone, check_key
from dativo_provider.lake.own import check_literal
from dativo_provider.lake.partition import check_partitioning
from dativo_provider.lake.pending import finish_pending, is_waiting
from dativo_provider.lake.personal import metrics_properties, personal_columns
from dativo_provider.lake.published import rows_within
from dativo_provider.lake.refs import Use
from dativo_provider.lake.reposition import reposition
from dativo_provider.lake.schema import read_fields, table_fields
from dativo_provider.lake.staging import UNBOUNDED_IN_QUARANTINE, MarkWriter, quarantine_writer, table_writer
from dativo_provider.lake.state import lane_of, other_jobs, own_lanes, read_state, state_key
from dativo_provider.lake.sweep import promised, sweep_folder, sweep_orphans
from dativo_provider.lake.table import WantedTable, ensure_table, find_table, quarantine_name, table_name
from dativo_provider.lake.tags import tag_properties
from dativo_provider.lake.versions import lookup_name, table_version
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.run import Lane, Manifest, Plan, Published, StagedFile, State
from dativo_provider.model.stream import Cursor, Field
from dativo_provider.model.tables import QUARANTINE_FIELDS, SYSTEM_FIELDS, history_fields
from dativo_provider.model.target import (
    PublishedRows,
    StagedFileWriter,
    StagedKind,
    TableVersion,
    Target,
    TargetTable,
)
from dativo_provider.secrets.resolve import resolve

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["IcebergTarget"]

_LEFT_FOR = timedelta(days=3)


class IcebergTarget(Target):
    """Opens the catalog on first use. `job` may hold references; they are resolved here."""

    def __init__(self, job: JobSpec, ctx: RunContext) -> None:
        self._ctx = ctx
        target = replace(
            job.target,
            catalog=resolve(job.target.catalog, job, ctx),
            connection=resolve(job.target.connection, job, ctx),
            warehouse=resolve(job.target.warehouse, job, ctx),
            state_encryption=resolve(job.target.state_encryption or ctx.settings.state_encryption, job, ctx),
        )
        self._job = replace(job, target=target)
        check_literal(job, self._job)
        self._opened: Catalog | None = None

    @property
    def catalog(self) -> Catalog:
        if self._opened is None:
            self._opened = open_catalog(self._ctx.settings, self._job)
            leaf = catalog_leaf(self._ctx.settings, self._job)
            weakref.finalize(self, leaf.close, self._opened)  # a long process opens many targets
        return self._opened

    @property
    def files(self) -> FileStore:
        """State, pending manifests and listings, beside the tables."""
        return self._sealing(open_files(warehouse_of(self._ctx.settings, self._job), self._properties))

    def _sealing(self, files: FileStore) -> FileStore:
        return with_seal(files, seal_from(self._job.target.state_encryption, self._job.path or self._job.dag_id))

    @property
    def _properties(self) -> dict[str, str]:
        return catalog_properties(self._ctx.settings, self._job)[1]

    def table(self, name: str) -> Table:
        """Raises `StorageUnavailable`, `CredentialError`; PyIceberg's `NoSuchTableError` when there is none."""
        return load(self.catalog, name)

    def name_of(self, job: JobSpec, stream: StreamSpec) -> str:
        """What the stream's table is called. Raises `ConfigurationError` for unsafe names."""
        name = table_name(job, stream.table, stream.contract.domain)
        catalog_leaf(self._ctx.settings, self._job).check_name(*name.split("."))
        return name

    def check_versions(self, what: str, where: str) -> None:
        """Raises `Unsupported` where the catalog keeps no versions of a table."""
        catalog_leaf(self._ctx.settings, self._job).check_versions(what, where)

    def wanted(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> WantedTable:
        """The stream's table as the job wants it. Raises `ConfigurationError` or `Unsupported`."""
        name = self.name_of(job, stream)
        table = find_table(self.catalog, name)
        # Only the one job of a table orders its columns: two would move them to and fro.
        alone = table is not None and not other_jobs(table.properties, job, stream.name)
        return replace(_wanted(name, job, stream, fields), ordered=alone)

    def prepare(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> TargetTable:
        if job.target.publish == "branch":
            self.check_versions("publish: branch", job.path or job.dag_id)
        wanted = self.wanted(job, stream, fields)
        main = ensure_table(self.catalog, wanted)
        self._check_reach(main)
        check_alone(main.properties, job, stream.name, wanted.name)
        quarantine = ensure_table(self.catalog, _wanted_quarantine(wanted))
        self._finish_pending(main, job, stream)
        return TargetTable(wanted.name, main.location(), quarantine_name(wanted.name), quarantine.location())

    def columns(self, job: JobSpec, stream: StreamSpec) -> tuple[Field, ...] | None:
        table = find_table(self.catalog, self.name_of(job, stream))
        own = {field.name for field in history_fields(job)}
        return tuple(field for field in read_fields(table.schema()) if field.name not in own) if table else None

    def changes(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> tuple[str, ...]:
        table = find_table(self.catalog, self.name_of(job, stream))
        return tuple(map(str, self.wanted(job, stream, fields).evolution.changes(table))) if table else ()

    def version(self, job: JobSpec, table: str, version: str = "") -> TableVersion:
        return table_version(self.catalog, lookup_name(job, table), job, version)

    def state(self, job: JobSpec, stream: StreamSpec, lane: Lane) -> State:
        name = self.name_of(job, stream)
        table = find_table(self.catalog, name)
        if table is None:
            return State()
        return read_state(table.properties, state_key(job, stream.name, lane), self.files, name)

    def lanes(self, job: JobSpec, stream: StreamSpec) -> Mapping[str, int]:
        name = self.name_of(job, stream)
        table = find_table(self.catalog, name)
        return lanes_of(table.properties, job, stream.name, self.files, name) if table else {}

    def unfinished(self, job: JobSpec, stream: StreamSpec, state: State) -> bool:
        main = find_table(self.catalog, self.name_of(job, stream)) if state.pending else None
        return main is not None and is_waiting(state.pending, str(main.metadata.table_uuid), self.catalog, self.files)

    def set_state(self, job: JobSpec, stream: StreamSpec, lane: Lane, before: State, after: State) -> None:
        name = self.name_of(job, stream)
        key = state_key(job, stream.name, lane)
        reposition(self.catalog, self.files, name, job.tenant, key, before, after)

    def stage(self, plan: Plan, piece: int, attempt: str, kind: StagedKind) -> StagedFileWriter:
        budget = Budget.of(self._ctx.settings)
        prefix = f"s{piece:05d}-a{attempt}"
        if kind == "quarantine":
            return quarantine_writer(self.table(plan.quarantine_table), plan, prefix, budget)
        table = self.table(plan.table)
        if kind == "marks":
            return MarkWriter(table, plan, prefix)
        return table_writer(table, plan, prefix, budget, in_order=kind == "changes")

    def placed(self, plan: Plan, files: Sequence[StagedFile]) -> bool:
        return all(file.stats["spec"] is not None for file in files)

    def read_staged(
        self, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        io = self.table(plan.table).io
        return read.staged_rows(io, files, columns)

    def facts(self, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return footers.facts(self.table(plan.table), files, columns)

    def published_keys(self, plan: Plan, columns: Sequence[str], low: Any, high: Any) -> pa.RecordBatchReader:
        every = {field.name: field for field in (*plan.fields, *SYSTEM_FIELDS)}
        wanted, table = [every[name] for name in columns], find_table(self.catalog, plan.table)
        if table is None:  # a dry run before the first run
            return read.no_rows(wanted)
        row_filter = read.between(plan.spec.incremental.cursor_field, low, high)
        return read.typed(read.scan(table, columns=columns, row_filter=row_filter), wanted)

    def published_within(
        self, plan: Plan, ranges: Mapping[str, tuple[Any, Any]], keys: Mapping[str, Sequence[Any]] | None = None
    ) -> PublishedRows:
        every = {field.name: field for field in (*plan.fields, *SYSTEM_FIELDS)}
        wanted, table = [every[name] for name in ranges], find_table(self.catalog, plan.table)
        before = None if table is None else read.before(table, plan.plan_id)
        if table is None or before is None:
            return PublishedRows(read.no_rows(wanted))
        return rows_within(table, before, ranges, keys or {}, wanted)

    def quarantined_ids(self, plan: Plan) -> frozenset[str]:
        from pyiceberg.expressions import EqualTo

        table = find_table(self.catalog, plan.quarantine_table)
        if table is None:
            return frozenset()
        rows = read.scan(table, columns=["row_id"], row_filter=EqualTo("stream", plan.stream))
        known = {value for batch in rows for value in batch.column("row_id").to_pylist()}
        handled = self.inbox(plan.job, plan.spec).lines(plan.stream, ["row_id"])  # discarded rows are only there
        return frozenset(known.union(*(batch.column("row_id").to_pylist() for batch in handled)))

    def inbox(self, job: JobSpec, stream: StreamSpec) -> InboxTables:
        return InboxTables(self.catalog, self.name_of(job, stream), job.tenant, Budget.of(self._ctx.settings))

    def has_rows(self, plan: Plan) -> bool:
        table = find_table(self.catalog, plan.table)
        return table is not None and read.row_count(table) > 0

    def publish(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        return publication(self.catalog, self.files, self._ctx.settings, plan, manifests, cursor).run()

    def waiting(self, job: JobSpec, stream: StreamSpec) -> str:
        table = find_table(self.catalog, self.name_of(job, stream))
        if table is None:
            return ""
        live = lane_of(state_key(job, stream.name, Lane()))
        return waiting(table, lambda lane: lane == live or lane.startswith((f"{live}.backfill.", f"{live}.replay.")))

    def approve(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        return Approval(self.catalog, self.files, self._ctx.settings, plan, manifests, cursor).run()

    def reject(self, plan: Plan) -> None:
        reject(self.catalog, self.files, plan)

    def committed(self, plan: Plan) -> bool:
        table = find_table(self.catalog, plan.table)
        if table is None:
            return False
        return plan.plan_id in read_state(table.properties, plan.state_key, self.files, plan.table).runs

    def sweep(self, plan: Plan) -> int:
        """Keeps everything of a plan that did commit: a twin may have published it after all."""
        if self.committed(plan):
            return 0
        folders = [run_folder(place, plan.plan_id) for place in (plan.table_location, plan.quarantine_location)]
        return sum(sweep_folder(folder, self.files) for folder in folders)

    def sweep_old(self, plan: Plan) -> int:
        return self.sweep_table(plan.table, _LEFT_FOR, running=[plan.plan_id])

    def sweep_table(self, name: str, older_than: timedelta, running: Sequence[str] = ()) -> int:
        """Orphans of the table and of its quarantine."""
        main, catalog = self.table(name), self.catalog
        keep = set(promised(main, self.files))
        removed = sweep_orphans(catalog, name, self.files, older_than=older_than, running=running)
        beside = quarantine_name(name)
        if find_table(catalog, beside) is None:
            return removed
        return removed + sweep_orphans(catalog, beside, self.files, older_than=older_than, running=running, keep=keep)

    # -- versions and care of a table: what a target of other readers than Iceberg's answers otherwise ------------

    def allow(self, table: Table, snapshot: Snapshot, use: Use) -> None:
        """Raises `ConfigurationError` when this version of the table cannot serve that way."""

    def pinned(self, table: Table) -> Collection[str]:
        """Data files that must stay as they are."""
        return ()

    def stray(
        self, name: str, *, running: Collection[str] = (), keep: Collection[str] = (), older_than: timedelta
    ) -> Sequence[FileInfo]:
        """Files outside the table's location that its readers may see and should not, as they are certainly dead."""
        return ()

    def tidy(self, name: str) -> None:
        """Right after a commit that took files away, for those who would still see them."""

    def _check_reach(self, main: Table) -> None:
        """Plans and states lie in the warehouse, staged files at the table: one set of keys reaches both."""
        here, there = scheme(warehouse_of(self._ctx.settings, self._job)), scheme(canonical(main.location()))
        if here != there and {here, there} != {"abfs", "abfss"}:
            raise ConfigurationError(
                f"the catalog keeps its tables in {there}://, but the warehouse is in {here}://",
                where=".".join(main.name()),
                remedy=f"set the warehouse (DATIVO_WAREHOUSE, or the tenant's) to a folder beside {main.location()}",
            )

    def _finish_pending(self, main: Table, job: JobSpec, stream: StreamSpec) -> None:
        """Of every lane: an earlier run may have died between its two commits."""
        for key in own_lanes(main.properties, job, stream.name):
            state = read_state(main.properties, key, self.files, ".".join(main.name()))
            if state.pending:
                finish_pending(state.pending, str(main.metadata.table_uuid), self.catalog, self.files)


def _wanted(name: str, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> WantedTable:
    personal = personal_columns(fields)
    check_key(job, stream, name)
    check_partitioning(job.target.partitioning, personal, name)
    if stream.incremental.cursor_field in personal:
        raise ConfigurationError(
            f"the cursor '{stream.incremental.cursor_field}' holds personal data, which state would keep and show",
            where=name,
            remedy="use another cursor_field, or correct the column's classification in the contract",
        )
    properties = {
        "write.parquet.compression-codec": job.target.compression,
        **{f"write.parquet.bloom-filter-enabled.column.{key}": "true" for key in stream.identity},
        **tag_properties(stream.contract, fields),
    }
    every = table_fields((*fields, *history_fields(job)), system_columns=job.target.system_columns)
    return WantedTable(
        name,
        job.tenant,
        every,
        job.target.partitioning,
        properties,
        stream.contract.dropped,
        job.schema_policies(stream),
    )


def _wanted_quarantine(main: WantedTable) -> WantedTable:
    properties = metrics_properties(UNBOUNDED_IN_QUARANTINE)
    return WantedTable(quarantine_name(main.name), main.tenant, QUARANTINE_FIELDS, properties=properties)
