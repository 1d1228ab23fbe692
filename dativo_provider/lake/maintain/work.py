"""What every maintenance job is given, and what they all ask of a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dativo_provider.files import FileStore
from dativo_provider.lake.commit import load
from dativo_provider.model.maintenance import Amount, MaintenanceSpec, Upkeep

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import ManifestEntry
    from pyiceberg.table import Table

__all__ = ["MARK", "Work", "data_entries", "has_deletes", "total"]

MARK = "dativo.maintenance"  # in a snapshot's summary: no run made it
_DAY = 86_400


def _never() -> None:
    """Nobody cancels."""


@dataclass(frozen=True)
class Work:
    """One table. `running` are plan ids whose files are spared, `keep` URIs that others have promised."""

    catalog: Catalog
    table: str
    files: FileStore
    spec: MaintenanceSpec = MaintenanceSpec()
    dry_run: bool = False
    running: Collection[str] = ()
    keep: Collection[str] = ()
    check_cancelled: Callable[[], None] = _never
    now: Callable[[], float] = field(default=time.time)

    def load(self) -> Table:
        return load(self.catalog, self.table)

    def before(self, days: float) -> float:
        """The moment that many days ago, in seconds since the epoch."""
        return self.now() - days * _DAY

    def nothing(self, job: str, what: str, amount: Amount = Amount(), note: str = "") -> Upkeep:  # noqa: B008 - frozen
        return Upkeep(job, self.table, what, amount, amount, note=note)

    def report(self, job: str, what: str, before: Amount, after: Amount, note: str = "") -> Upkeep:
        outcome = "planned" if self.dry_run else "done"
        return Upkeep(job, self.table, what, before, after, outcome, note)  # type: ignore[arg-type]


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
