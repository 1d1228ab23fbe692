"""Staged files as entries of Iceberg manifests, after everything that could make them wrong was checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dativo_provider.errors import Fenced, InternalError, SourceChanged
from dativo_provider.files import FileStore, canonical, join
from dativo_provider.lake.partition import from_json
from dativo_provider.lake.stats import columns_from_json
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = [
    "REWRITE", "Places", "check_made_for", "check_present", "data_files", "files_at", "left_out", "live_files",
    "run_folder",
]  # fmt: skip

REWRITE = "compact-"  # begins the name of who rewrites files and is no run: no lane fences it
_START_AGAIN = "start a new run; nothing was published"


def run_folder(location: str, plan_id: str) -> str:
    """Never `run=<id>`: Hive-style readers would see a column in it."""
    return join(location, "data", f"run-{plan_id}")


def check_present(files: Sequence[StagedFile], folder: str, store: FileStore) -> None:
    """One listing: every file is below `folder`, there once, and as long as it was when it was closed."""
    sizes = {canonical(info.uri): info.size for info in store.list(folder)} if files else {}
    names = [canonical(file.path) for file in files]
    if len(set(names)) != len(names):
        raise InternalError("a staged file is named twice by the run's manifests", where=folder)
    for file, name in zip(files, names, strict=True):
        if not name.startswith(canonical(folder) + "/"):
            raise InternalError(f"{file.path} is not of this run", where=folder)
        if sizes.get(name) != file.bytes:
            what = "is gone" if name not in sizes else "has another size than when it was written"
            raise SourceChanged(f"the staged file {what}", where=file.path, remedy=_START_AGAIN)


@runtime_checkable
class Places(Protocol):
    """A catalog whose tables do not keep files where they were staged."""

    @property
    def place(self) -> Callable[[Table, Sequence[StagedFile]], Sequence[StagedFile]]: ...

    @property
    def left_out(self) -> Callable[[Table], Collection[str]]: ...


def left_out(table: Table) -> Collection[str]:
    """Columns that are not written into files, because their folders say the values."""
    return table.catalog.left_out(table) if isinstance(table.catalog, Places) else ()


def data_files(table: Table, files: Sequence[StagedFile]) -> list[DataFile]:
    """Raises `Fenced` when the table is no longer the one the files were written for."""
    for file in files:
        check_made_for(table, file)
        _check_fits(table, file)
    if isinstance(table.catalog, Places):
        files = table.catalog.place(table, files)
    return [_data_file(table, file) for file in files]


def check_made_for(table: Table, file: StagedFile) -> None:
    """Raises `Fenced` when `file` was staged for an older table of the same name."""
    if file.stats["table"] != str(table.metadata.table_uuid):
        raise Fenced("the table was dropped and created again since the plan", where=file.path, remedy=_START_AGAIN)


def _check_fits(table: Table, file: StagedFile) -> None:
    made, schema = file.stats, table.schema()
    if made["spec"] != table.spec().spec_id:
        raise Fenced("the table's partitioning changed since the plan", where=file.path, remedy=_START_AGAIN)
    written = {field.field_id for field in table.schemas()[made["schema"]].fields} - set(made["lacking"])
    if gone := sorted(table.schemas()[made["schema"]].find_column_name(each) or "" for each in written - _ids(schema)):
        raise Fenced(
            f"the staged files hold {', '.join(gone)}, which the table has dropped since the plan",
            where=file.path,
            remedy=_START_AGAIN,
        )
    if required := sorted(field.name for field in schema.fields if field.required and field.field_id not in written):
        raise Fenced(
            f"the staged files lack {', '.join(required)}, which the table requires",
            where=file.path,
            remedy=_START_AGAIN,
        )


def _ids(schema: Schema) -> set[int]:
    return {field.field_id for field in schema.fields}


def _data_file(table: Table, file: StagedFile) -> DataFile:
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.typedef import Record

    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.path,
        file_format=FileFormat.PARQUET,
        partition=Record(*from_json(file.partition, table.spec(), table.schema())),
        file_size_in_bytes=file.bytes,
        sort_order_id=None,
        spec_id=table.spec().spec_id,
        equality_ids=None,
        key_metadata=None,
        **columns_from_json(file.stats["columns"]),
    )


def live_files(table: Table) -> dict[str, DataFile]:
    """Data files of the current snapshot by path, read from the manifests themselves."""
    return files_at(table, table.current_snapshot())


def files_at(table: Table, snapshot: Snapshot | None) -> dict[str, DataFile]:
    """The same of any snapshot."""
    from pyiceberg.manifest import DataFileContent

    entries: list[Any] = [] if snapshot is None else snapshot.manifests(table.io)
    found = [e.data_file for m in entries for e in m.fetch_manifest_entry(table.io, discard_deleted=True)]
    return {file.file_path: file for file in found if file.content == DataFileContent.DATA}
