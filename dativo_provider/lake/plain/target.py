"""The plain target (`s3`, `minio`, `parquet`): Hive folders of Parquet, audited first, published exactly once.

It is the Iceberg target on a catalog that is a folder: same staging, fences, state and quarantine. What differs is
where files end up and what their readers may see: some trust the manifest, others list folders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, Fenced, Unsupported
from dativo_provider.files import FileInfo, FileStore, canonical, open_files, scheme
from dativo_provider.lake import read
from dativo_provider.lake.catalog import catalog_properties, warehouse_of
from dativo_provider.lake.commit import load
from dativo_provider.lake.compat import repair
from dativo_provider.lake.datafile import live_files
from dativo_provider.lake.iceberg import IcebergTarget
from dativo_provider.lake.plain.labels import Labelling
from dativo_provider.lake.plain.layout import Layout, plain_name, plan_of, root_of
from dativo_provider.lake.plain.placement import Placement
from dativo_provider.lake.plain.rows import folder_columns, with_folder_columns
from dativo_provider.lake.plain.tidy import Tidying
from dativo_provider.lake.plain.versions import Versions, tagged_files
from dativo_provider.lake.refs import Use
from dativo_provider.lake.sweep import promised
from dativo_provider.lake.table import WantedTable, find_table, quarantine_name
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.run import Manifest, Plan, Published, StagedFile
from dativo_provider.model.stream import Cursor, Field
from dativo_provider.model.target import Target, TargetTable

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["PlainTarget"]

_MODES = ("append", "replace")


class PlainTarget(IcebergTarget):
    version = Target.version  # its folders are nobody's catalog

    @property
    def layout(self) -> Layout:
        """The job's bucket or folder; by default one of the tenant's own in the deployment's warehouse."""
        root = warehouse_of(self._ctx.settings, self._job)
        return Layout(root_of(self._job.tenant, root if self._job.target.warehouse else "", root))

    @property
    def files(self) -> FileStore:
        return self._sealing(open_files(self.layout.root, self._properties))

    @property
    def _properties(self) -> dict[str, str]:
        found = catalog_properties(self._ctx.settings, self._job)[1]
        endpoint = found.get("s3.endpoint", "")
        if endpoint and "://" not in endpoint:  # as MinIO's own clients are told: host, port and `secure`
            found["s3.endpoint"] = f"{'https' if _secure(self._job) else 'http'}://{endpoint}"
        return found

    @property
    def catalog(self) -> Catalog:
        return self._folder

    @cached_property
    def _folder(self) -> Catalog:
        from dativo_provider.lake.plain.catalog import FolderCatalog

        repair()
        return FolderCatalog(self.layout, self.files, self._properties, self._placement)

    @cached_property
    def _placement(self) -> Placement:
        return Placement(self.layout, self.files, Labelling(self._job, self._ctx.now()))

    # -- before a run ---------------------------------------------------------------------------------

    def name_of(self, job: JobSpec, stream: StreamSpec) -> str:
        return plain_name(job, stream)

    def wanted(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> WantedTable:
        wanted = super().wanted(job, stream, fields)
        if job.target.mode not in _MODES:
            raise Unsupported(
                f"mode '{job.target.mode}' needs a table format: readers of plain folders would see rows twice",
                where=wanted.name,
                remedy="use target_connector: iceberg, or write_mode append or replace",
            )
        if job.target.publish == "branch":
            raise Unsupported(
                "folders of plain Parquet have no branches: rows that wait for approval would be seen",
                where=wanted.name,
                remedy="use target_connector: iceberg, or `publish: main`",
            )
        if self._ctx.settings.distributed and scheme(self.layout.root) == "file":
            raise ConfigurationError(
                "tasks may run on several machines, and each would publish into a folder of its own",
                where=self.layout.root,
                remedy="publish to a bucket (target_connector: s3), or run on one machine",
            )
        _check_folders(wanted)
        return _optional_folders(wanted)

    def prepare(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> TargetTable:
        made = super().prepare(job, stream, fields)
        self._versions.check_run(self.table(made.table))
        return made

    # -- versions -------------------------------------------------------------------------------------

    @property
    def _versions(self) -> Versions:
        return Versions(self.layout, self.files, replaces=self._job.target.mode == "replace")

    def check_versions(self, what: str, where: str) -> None:
        """Folders are of no catalog: `allow` says what they can."""

    def allow(self, table: Table, snapshot: Snapshot, use: Use) -> None:
        self._versions.allow(table, snapshot, use)

    def pinned(self, table: Table) -> Collection[str]:
        return tagged_files(table)

    # -- staged rows ----------------------------------------------------------------------------------

    def read_staged(
        self, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        table = self.table(plan.table)
        absent = folder_columns(table)
        for file in files:
            stored = columns if columns is None or not file.partition else [c for c in columns if c not in absent]
            batches = read.staged_rows(table.io, [file], stored)
            yield from with_folder_columns(batches, table, file, columns) if file.partition else batches

    # -- publishing -----------------------------------------------------------------------------------

    def publish(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        """Replaced files go right after the commit: who lists folders should not see both for long."""
        self._placement.publishing = plan
        try:
            published = super().publish(plan, manifests, cursor)
        except Fenced:
            self.tidy(plan.table)
            raise
        if published.deleted:
            self.tidy(plan.table)
        return published

    # -- cleaning -------------------------------------------------------------------------------------

    def sweep(self, plan: Plan) -> int:
        if self.committed(plan) or find_table(self.catalog, plan.table) is None:
            return 0
        return self._withdraw(plan) + super().sweep(plan)

    def _withdraw(self, plan: Plan) -> int:
        """Copies of a plan that is given up."""
        name = tuple(plan.table.split("."))
        listed = [info.uri for info in self.files.list(self.layout.data(name))]
        live = {canonical(path) for path in live_files(load(self.catalog, plan.table))}
        found = [uri for uri in listed if plan_of(uri, name[-1]) == plan.plan_id and canonical(uri) not in live]
        for uri in found:
            self.files.delete(uri)
        return len(found)

    def sweep_table(self, name: str, older_than: timedelta, running: Sequence[str] = ()) -> int:
        keep = set(promised(self.table(name), self.files))
        removed = super().sweep_table(name, older_than, running)
        removed += self._tidying(older_than).run(name, running)
        beside = quarantine_name(name)
        return removed + self._tidying(older_than).run(beside, running, keep)

    def stray(
        self, name: str, *, running: Collection[str] = (), keep: Collection[str] = (), older_than: timedelta
    ) -> Sequence[FileInfo]:
        return self._tidying(older_than).dead(name, running, keep)

    def tidy(self, name: str) -> None:
        self._tidying().run(name)

    def _tidying(self, older_than: timedelta = timedelta(days=3)) -> Tidying:
        grace = timedelta(minutes=float(self._job.target.options.get("replaced_grace_minutes", 0)))
        now = self._ctx.now().timestamp()
        return Tidying(self.catalog, self.layout, self.files, now, grace, older_than)


def _secure(job: JobSpec) -> bool:
    found = job.target.connection
    nested = {**found, **dict(found.get("s3") or {}), **dict(found.get("minio") or {})}
    return str(nested.get("secure", "true")).lower() in {"true", "1", "yes"}


def _optional_folders(wanted: WantedTable) -> WantedTable:
    """Readers of the manifest refuse a file that lacks a required column; row checks see to it that it has values."""
    said = {part.column for part in wanted.partitioning if part.transform == "identity"}
    return replace(wanted, fields=tuple(replace(f, required=False) if f.name in said else f for f in wanted.fields))


def _check_folders(wanted: WantedTable) -> None:
    """Raises `ConfigurationError` when folders would leave files without a column."""
    said = {part.column for part in wanted.partitioning if part.transform == "identity"}
    if said and said >= {field.name for field in wanted.fields}:
        raise ConfigurationError(
            "every column is a partition column, so files would have none",
            where=wanted.name,
            remedy="partition by fewer columns",
        )
