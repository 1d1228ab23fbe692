"""What every maintenance job is given, and what they all ask of a table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dativo_provider.files import FileInfo, FileStore
from dativo_provider.lake.commit import load
from dativo_provider.lake.history import STATES
from dativo_provider.lake.state import PREFIX, lane_of, summary_of
from dativo_provider.model.budget import USUAL, Budget
from dativo_provider.model.maintenance import Amount, MaintenanceSpec, Upkeep

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import ManifestEntry
    from pyiceberg.table import Table

__all__ = ["Work", "data_entries", "has_deletes", "is_signed", "signed", "total"]

MARK = "dativo.maintenance"  # in a snapshot's summary: no run made it
_CALL = f"{MARK}.call"
_DAY = 86_400
_NEVER = timedelta(days=36_500)


def _never() -> None:
    """Nobody cancels."""


def _none_pinned(_table: Table) -> Collection[str]:
    return ()


def _no_strays(_name: str, **_spared: Any) -> Sequence[FileInfo]:
    return ()


@dataclass(frozen=True)
class Work:
    """One table. `running` are plan ids whose files are spared, `keep` URIs that others have promised.

    `pinned` are data files that must stay as they are, `stray` finds dead ones where readers see them: both are
    the target's (`IcebergTarget`)."""

    catalog: Catalog
    table: str
    files: FileStore
    spec: MaintenanceSpec = MaintenanceSpec()
    dry_run: bool = False
    running: Collection[str] = ()
    keep: Collection[str] = ()
    pinned: Callable[[Table], Collection[str]] = _none_pinned
    stray: Callable[..., Sequence[FileInfo]] = _no_strays
    check_cancelled: Callable[[], None] = _never
    budget: Budget = USUAL
    now: Callable[[], float] = field(default=time.time)

    def load(self) -> Table:
        return load(self.catalog, self.table)

    def strays(self, unknown_after: timedelta = _NEVER) -> Sequence[FileInfo]:
        """Files readers see that are certainly dead; and those nobody knows, once they are older than that."""
        return self.stray(self.table, running=self.running, keep=self.keep, older_than=unknown_after)

    def delete(self, files: Sequence[FileInfo]) -> None:
        for info in files:
            self.check_cancelled()
            self.files.delete(info.uri)

    def before(self, days: float) -> float:
        """The moment that many days ago, in seconds since the epoch."""
        return self.now() - days * _DAY

    def nothing(self, job: str, what: str, amount: Amount = Amount(), note: str = "") -> Upkeep:  # noqa: B008 - frozen
        return Upkeep(job, self.table, what, amount, amount, note=note)

    def report(self, job: str, what: str, before: Amount, after: Amount, note: str = "") -> Upkeep:
        outcome = "planned" if self.dry_run else "done"
        return Upkeep(job, self.table, what, before, after, outcome, note)  # type: ignore[arg-type]


def signed(table: Table, job: str, name: str) -> dict[str, str]:
    """The summary of a snapshot made by `job`: which call made it, and where every lane stood, since a rollback to
    it must not depend on older snapshots."""
    lanes = {lane_of(key): summary_of(text) for key, text in table.properties.items() if key.startswith(PREFIX)}
    return {MARK: job, _CALL: name, **({STATES: json.dumps(lanes)} if lanes else {})}


def is_signed(table: Table, name: str) -> bool:
    return any(snapshot.summary is not None and snapshot.summary.get(_CALL) == name for snapshot in table.snapshots())


def data_entries(table: Table) -> Iterator[ManifestEntry]:
    """Live data files of the current snapshot with their sequence numbers."""
    from pyiceberg.manifest import DataFileContent, ManifestContent

    for manifest in _manifests(table):
        if manifest.content == ManifestContent.DATA:
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                if entry.data_file.content == DataFileContent.DATA:
                    yield entry


def has_deletes(table: Table) -> bool:
    """Whether rows are deleted by files of their own, which other engines write."""
    from pyiceberg.manifest import ManifestContent

    return any(
        manifest.content == ManifestContent.DELETES and manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        for manifest in _manifests(table)
    )


def _manifests(table: Table) -> list[Any]:
    snapshot = table.current_snapshot()
    return [] if snapshot is None else snapshot.manifests(table.io)


def total(sizes: Collection[int]) -> Amount:
    return Amount(len(sizes), sum(sizes))
