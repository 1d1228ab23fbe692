"""A table as a folder: version N of its metadata is `metadata/v<N>.metadata.json`, and creating it is the commit.

These are Iceberg's file-system tables, except that a new version is *created if absent* (a conditional put, a hard
link) where Iceberg renames: so of two writers one wins on every store we write. Any Iceberg engine reads the folder.
https://iceberg.apache.org/spec/#file-system-tables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.io import FileIO, load_file_io
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, SortOrder

from dativo_provider.errors import StorageUnavailable
from dativo_provider.files import FileStore, join
from dativo_provider.lake.plain.layout import Layout, version_of
from dativo_provider.lake.plain.rows import folder_columns
from dativo_provider.model.run import StagedFile

__all__ = ["FolderCatalog"]

Place = Callable[[Table, Sequence[StagedFile]], Sequence[StagedFile]]
_HINT = "version-hint.text"
_DROPPED = b'{"dropped": true}'  # a version like any other: numbers are never used twice


class FolderCatalog(MetastoreCatalog):  # type: ignore[misc]
    """`place` publishes staged files of a table and says where they are now (`lake.datafile.Places`)."""

    def __init__(self, layout: Layout, files: FileStore, properties: Mapping[str, str], place: Place) -> None:
        super().__init__("plain", **properties)
        self._layout, self._files, self.place, self.left_out = layout, files, place, folder_columns

    # -- tables ---------------------------------------------------------------------------------------

    def load_table(self, identifier: Any) -> Table:
        name = self.identifier_to_tuple(identifier)
        version = self._latest(name)
        data = self._files.read(self._uri(name, version)) if version else _DROPPED
        if data == _DROPPED:
            raise NoSuchTableError(f"there is no table {'.'.join(name)} in {self._layout.root}")
        return self._table(name, version, TableMetadataUtil.parse_raw(data.decode()))

    def create_table(
        self,
        identifier: Any,
        schema: Any,
        location: str | None = None,
        partition_spec: PartitionSpec = UNPARTITIONED_PARTITION_SPEC,
        sort_order: SortOrder = UNSORTED_SORT_ORDER,
        properties: Mapping[str, str] = {},
    ) -> Table:
        name = self.identifier_to_tuple(identifier)
        version = self._latest(name)
        if version and self._files.read(self._uri(name, version)) != _DROPPED:
            raise TableAlreadyExistsError(f"{'.'.join(name)} already exists")
        made: Schema = self._convert_schema_if_needed(schema)
        told = {**properties, "write.data.path": self._layout.data(name)}
        metadata = new_table_metadata(made, partition_spec, sort_order, self._layout.home(name), told)
        if not self._put(name, version + 1, metadata.model_dump_json().encode()):
            raise TableAlreadyExistsError(f"{'.'.join(name)} already exists")
        return self._table(name, version + 1, metadata)

    def commit_table(self, table: Table, requirements: Any, updates: Any) -> CommitTableResponse:
        """Raises `CommitFailedException` for who comes second, `CommitStateUnknownException` when nobody knows."""
        name = table.name()
        current = self.load_table(name)
        metadata = self._update_and_stage_table(current, name, requirements, updates).metadata
        if metadata == current.metadata:
            return CommitTableResponse(metadata=metadata, metadata_location=current.metadata_location)
        version = version_of(current.metadata_location) + 1
        try:
            created = self._put(name, version, metadata.model_dump_json().encode())
        except StorageUnavailable as unknown:
            raise CommitStateUnknownException(str(unknown)) from unknown
        if not created:
            raise CommitFailedException(f"{'.'.join(name)} has a version {version} already")
        return CommitTableResponse(metadata=metadata, metadata_location=self._uri(name, version))

    def drop_table(self, identifier: Any) -> None:
        """Its files stay, and so do its versions: a late writer must not find a number free."""
        table = self.load_table(identifier)
        if not self._put(table.name(), version_of(table.metadata_location) + 1, _DROPPED):
            raise CommitFailedException(f"{'.'.join(table.name())} has changed meanwhile")

    def list_tables(self, namespace: Any) -> list[tuple[str, ...]]:
        wanted = self.identifier_to_tuple(namespace)
        return [name for name in self._names() if name[:-1] == wanted and self.table_exists(name)]

    def list_namespaces(self, namespace: Any = ()) -> list[tuple[str, ...]]:
        return sorted({name[:-1] for name in self._names()})

    # -- namespaces are folders and belong to nobody; tables have owners -------------------------------

    def create_namespace(self, namespace: Any, properties: Mapping[str, str] = {}) -> None:
        """Nothing to do."""

    def load_namespace_properties(self, namespace: Any) -> dict[str, str]:
        return {}

    def _unknown(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise NotImplementedError("a folder of plain Parquet has neither views nor other names")

    register_table = rename_table = drop_namespace = update_namespace_properties = _unknown
    list_views = drop_view = view_exists = load_view = register_view = create_view = _unknown

    # -- versions -------------------------------------------------------------------------------------

    def _latest(self, name: Sequence[str]) -> int:
        """The hint may lag, or be lost, but never leads."""
        version = self._hint(name)
        if not version or not self._files.exists(self._uri(name, version)):
            version = max(map(version_of, self._versions(name)), default=0)
        while self._files.exists(self._uri(name, version + 1)):
            version += 1
        return version

    def _hint(self, name: Sequence[str]) -> int:
        try:
            text = self._files.read(join(self._folder(name), _HINT))
        except FileNotFoundError:
            return 0
        return int(text) if text.isdigit() else 0

    def _put(self, name: Sequence[str], version: int, data: bytes) -> bool:
        """False when the version is there already, or was once and has been swept since."""
        if not self._files.write_new(self._uri(name, version), data):
            return False
        if self._was_swept(name, version):
            self._files.delete(self._uri(name, version))
            return False
        self._files.write(join(self._folder(name), _HINT), str(version).encode())
        return True

    def _was_swept(self, name: Sequence[str], version: int) -> bool:
        """Sweeps begin with the oldest, so the version before is gone too; and the hint is further on."""
        if version > 1 and not self._files.exists(self._uri(name, version - 1)):
            return True
        hint = self._hint(name)
        return hint > version and self._files.exists(self._uri(name, hint))

    def _versions(self, name: Sequence[str]) -> list[str]:
        found = self._files.list(self._folder(name))
        return [info.uri for info in found if version_of(info.uri)]

    def _folder(self, name: Sequence[str]) -> str:
        return join(self._layout.home(name), "metadata")

    def _uri(self, name: Sequence[str], version: int) -> str:
        return join(self._folder(name), f"v{version}.metadata.json")

    def _names(self) -> list[tuple[str, ...]]:
        root = self._layout.home(())
        found = {info.uri.removeprefix(root + "/") for info in self._files.list(root) if version_of(info.uri)}
        return sorted({tuple(uri.split("/")[:-2]) for uri in found})

    def _table(self, name: tuple[str, ...], version: int, metadata: TableMetadata) -> Table:
        uri = self._uri(name, version)
        return Table(name, metadata, uri, self._load_file_io(location=uri), self)

    def _load_file_io(self, properties: Mapping[str, str] = {}, location: str | None = None) -> FileIO:
        """By the deployment's properties alone: a table's own could name classes to load."""
        return load_file_io(dict(self.properties), location)
