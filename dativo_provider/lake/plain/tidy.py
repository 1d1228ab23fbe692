"""Removes published-looking files that the table does not have: of runs that died, and of rows that were replaced.

Readers of the folders see a file from its copy to its removal, so what is certainly dead goes at once:

- a file of a plan that has committed, which the table no longer has: it was replaced;
- a file of a plan that announced itself and whose lane has moved on: it can never commit any more.

Everything else that is not the table's is left alone until it is old.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dativo_provider.files import FileInfo, FileStore, canonical
from dativo_provider.lake.commit import load
from dativo_provider.lake.datafile import live_files
from dativo_provider.lake.plain.layout import Layout, plan_of
from dativo_provider.lake.plain.placement import read_intent
from dativo_provider.lake.state import PREFIX, read_state
from dativo_provider.model.run import State

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["Tidying"]


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
        """The number of files removed. Spares the plans `running` and the files `keep`."""
        listed = self.files.list(self.layout.data(tuple(name.split("."))))
        table = load(self.catalog, name)  # after the listing: what was committed meanwhile counts as live
        kept = {canonical(path) for path in (*live_files(table), *keep)}
        others = [info for info in listed if canonical(info.uri) not in kept]
        dead = list(self._dead(table, others, set(running))) if others else []
        for info in dead:
            self.files.delete(info.uri)
        return len(dead)

    def _dead(self, table: Table, others: Collection[FileInfo], running: set[str]) -> Iterator[FileInfo]:
        states = self._states(table)
        committed = {run for state in states.values() for run in state.runs}
        fenced = self._fenced(table, states) - committed
        for info in others:
            plan = plan_of(info.uri, table.name()[-1])
            if not plan or plan in running - committed:
                continue
            old = info.mtime < self.now - self.keep_unknown.total_seconds()
            if plan in fenced or old or (plan in committed and self._replaced(table, info, plan)):
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

    def _replaced(self, table: Table, info: FileInfo, plan: str) -> bool:
        """Whether the grace is over since a later run took the file away."""
        later = [each for each in table.metadata.snapshots if _removes(each, plan) and _at(each) >= info.mtime]
        return not self.grace or any(_at(each) + self.grace.total_seconds() <= self.now for each in later[:1])


def _at(snapshot: Any) -> float:
    return float(snapshot.timestamp_ms / 1000)


def _removes(snapshot: Any, plan: str) -> bool:
    said = snapshot.summary
    return said is not None and said.operation.value != "append" and said.get("dativo.run") != plan
