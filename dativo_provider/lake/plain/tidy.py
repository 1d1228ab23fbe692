"""Finds published-looking files that the table does not have: of runs that died, and of rows that were replaced.

Readers of the folders see a file from its copy to its removal, so what is certainly dead goes at once:

- a file that some version had and the current one has not: it was replaced;
- a file of a plan that has committed, and of no version any more;
- a file of a plan that announced itself and whose lane has moved on: it can never commit any more;
- a file of a rewrite that went on top of a version which has a successor already.

Everything else that is not the table's is left alone until it is old. What a tag names is never dead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from dativo_provider.files import FileInfo, FileStore, canonical
from dativo_provider.lake.commit import load
from dativo_provider.lake.datafile import files_at, live_files
from dativo_provider.lake.plain.layout import Layout, plan_of, version_of
from dativo_provider.lake.plain.placement import base_version, read_intent
from dativo_provider.lake.plain.versions import tagged_files
from dativo_provider.lake.state import PREFIX, read_state
from dativo_provider.model.run import State

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["Tidying"]

_CLOCKS = 3600.0  # seconds by which the store's clock may differ from the committers'


@dataclass(frozen=True)
class Tidying:
    """`grace`: how long replaced files stay for readers of the manifest that have begun with an older one."""

    catalog: Catalog
    layout: Layout
    files: FileStore
    now: float
    grace: timedelta = timedelta()
    keep_unknown: timedelta = timedelta(days=3)

    def run(self, name: str, running: Collection[str] = (), keep: Collection[str] = ()) -> int:
        """Deletes what is dead; the number of files."""
        dead = self.dead(name, running, keep)
        for info in dead:
            self.files.delete(info.uri)
        return len(dead)

    def dead(self, name: str, running: Collection[str] = (), keep: Collection[str] = ()) -> list[FileInfo]:
        """Spares the plans `running` and the files `keep`."""
        listed = self.files.list(self.layout.data(tuple(name.split("."))))
        table = load(self.catalog, name)  # after the listing: what was committed meanwhile counts as live
        kept = {canonical(path) for path in (*live_files(table), *tagged_files(table), *keep)}
        others = [info for info in listed if canonical(info.uri) not in kept]
        return list(self._dead(table, others, set(running))) if others else []

    def _dead(self, table: Table, others: Collection[FileInfo], running: set[str]) -> Iterator[FileInfo]:
        states = self._states(table)
        committed = {run for state in states.values() for run in state.runs}
        fenced, version = self._fenced(table, states) - committed, version_of(table.metadata_location)
        plans = {info: plan_of(info.uri, table.name()[-1]) for info in others}
        ours = {info: plan for info, plan in plans.items() if plan and plan not in running - committed}
        removed = _removals(table, [info for info, plan in ours.items() if self.grace or plan not in committed])
        for info, plan in ours.items():
            at, base = removed.get(info.uri), base_version(plan)
            if at is not None:
                certain = at + self.grace.total_seconds() <= self.now
            else:
                certain = plan in committed or plan in fenced or (base is not None and base < version)
                certain = certain or info.mtime < self.now - self.keep_unknown.total_seconds()
            if certain:
                yield info

    def _states(self, table: Table) -> dict[str, State]:
        where, properties = ".".join(table.name()), table.properties
        keys = [key for key in properties if key.startswith(PREFIX)]
        return {key: read_state(properties, key, self.files, where) for key in keys}

    def _fenced(self, table: Table, states: dict[str, State]) -> set[str]:
        """Plans that said they would commit on top of a state that is past."""
        staged = self.files.list(f"{table.location()}/data")
        found = [read_intent(info.uri, self.files) for info in staged if info.uri.endswith("/publishing.json")]
        return {each.plan_id for each in found if states.get(each.state_key, State()).seq > each.seq}


def _removals(table: Table, wanted: Sequence[FileInfo]) -> dict[str, float]:
    """When the files left the table, by URI, for those that an older version had. Looks no further back than needed:
    a version cannot have a file that is younger."""
    missing, found = {canonical(info.uri): info for info in wanted}, dict[str, float]()
    later: float | None = None
    for snapshot in sorted(table.metadata.snapshots, key=lambda each: -(each.sequence_number or 0)):
        at = snapshot.timestamp_ms / 1000
        if not missing or at < min(info.mtime for info in missing.values()) - _CLOCKS:
            break
        for path in [each for each in map(canonical, files_at(table, snapshot)) if each in missing]:
            found[missing.pop(path).uri] = at if later is None else later
        later = at
    return found
