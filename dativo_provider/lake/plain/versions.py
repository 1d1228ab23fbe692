"""What older versions of a plain table are good for.

Folders hold the files of the current version and no others, since who lists them cannot tell versions apart. So a
version stays readable as long as its files are part of the current one: until a replace, a compaction or a rollback
takes them out. A tag holds its files where they are; what would take them out is refused while it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.files import FileStore, canonical
from dativo_provider.lake.datafile import files_at, live_files
from dativo_provider.lake.plain.layout import Layout
from dativo_provider.lake.refs import MAIN, Use

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["Versions", "tagged_files"]

_TABLE_FORMAT = "a table format keeps every version: publish with target_connector: iceberg"


def tagged_files(table: Table) -> dict[str, str]:
    """Data files of every named version but main, with a name that holds them."""
    found: dict[str, str] = {}
    for name, ref in table.metadata.refs.items():
        if name != MAIN:
            found |= dict.fromkeys(files_at(table, table.metadata.snapshot_by_id(ref.snapshot_id)), name)
    return found


class Versions:
    """Of the tables of one job; `replaces`: its runs take all earlier files out of the folders."""

    def __init__(self, layout: Layout, files: FileStore, *, replaces: bool) -> None:
        self._layout, self._files, self._replaces = layout, files, replaces

    def allow(self, table: Table, snapshot: Snapshot, use: Use) -> None:
        """Raises `ConfigurationError` when the version cannot serve that way."""
        checks: Mapping[Use, Callable[[Table, Snapshot], None]] = {
            "read": self._readable,
            "tag": self._taggable,
            "branch": self._branchable,
            "rollback": self._reachable,
        }
        checks[use](table, snapshot)

    def check_run(self, table: Table) -> None:
        """Raises `ConfigurationError` when the job's runs would take tagged files out of the folders."""
        if self._replaces and (held := tagged_files(table)):
            raise ConfigurationError(
                f"a run would take files out of the folders that tag '{min(held.values())}' holds",
                where=".".join(table.name()),
                remedy="delete the tag (`dativo tag NAME --delete`), or use write_mode append",
            )

    def _readable(self, table: Table, snapshot: Snapshot) -> None:
        gone = files_at(table, snapshot).keys() - live_files(table).keys()
        if not gone:
            return
        there = {canonical(info.uri) for info in self._files.list(self._layout.data(table.name()))}
        if any(canonical(path) not in there for path in gone):
            raise ConfigurationError(
                f"version {snapshot.snapshot_id} has files that have left the folders since",
                where=".".join(table.name()),
                remedy=f"read the current version, or keep replaced files with replaced_grace_minutes; {_TABLE_FORMAT}",
            )

    def _taggable(self, table: Table, snapshot: Snapshot) -> None:
        if self._replaces:
            raise Unsupported(
                "every run of this job takes the files of the version before out of the folders, tagged or not",
                where=".".join(table.name()),
                remedy=f"use write_mode append; {_TABLE_FORMAT}",
            )
        self._check_current(table, snapshot, "be kept by a tag")

    def _branchable(self, table: Table, _snapshot: Snapshot) -> None:
        raise Unsupported(
            "folders of plain Parquet have no branches: who lists them would see the rows of each",
            where=".".join(table.name()),
            remedy=f"name the version with `dativo tag`; {_TABLE_FORMAT}",
        )

    def _reachable(self, table: Table, snapshot: Snapshot) -> None:
        self._check_current(table, snapshot, "come back")
        lost = {name for path, name in tagged_files(table).items() if path not in files_at(table, snapshot)}
        if lost:
            raise ConfigurationError(
                f"tag '{min(lost)}' holds files that this rollback would take out of the folders",
                where=".".join(table.name()),
                remedy="delete the tag first (`dativo tag NAME --delete`), or roll back to a version that has its rows",
            )

    def _check_current(self, table: Table, snapshot: Snapshot, what: str) -> None:
        if gone := files_at(table, snapshot).keys() - live_files(table).keys():
            raise ConfigurationError(
                f"version {snapshot.snapshot_id} cannot {what}: the table has replaced {len(gone)} of its files since",
                where=".".join(table.name()),
                remedy=f"choose a version after the last replace or compaction; {_TABLE_FORMAT}",
            )
