"""Takes a table back to an earlier snapshot of its own past, and its lanes' cursors with it.

It is a commit like any other: main is moved and an empty snapshot put on top in one compare-and-set, and `seq` of
every lane goes up, so that a run planned before is fenced. The snapshot on top also makes main's head a new one:
where a catalog compares heads only, a commit prepared before the undone ones could else land after the rollback.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.files import FileStore
from dativo_provider.lake.commit import Change, Ref, commit
from dativo_provider.lake.history import LANE, OPERATION, STATES, ancestors, lanes_at, lanes_in, said
from dativo_provider.lake.owner import check_owner
from dativo_provider.lake.refs import MAIN, Allow, any_use, find_snapshot, main_head
from dativo_provider.lake.state import PREFIX, lane_of, read_state, summary_of, write_state
from dativo_provider.model.run import State

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["Rollback", "RolledBack", "undone_by"]


@dataclass(frozen=True)
class RolledBack:
    """`undone` is the number of snapshots taken back; `lanes` are those whose cursor moved."""

    snapshot_id: int
    target: int
    undone: int
    lanes: tuple[str, ...]


class Rollback:
    """One rollback; `run_id` is what it is known by in `runs` and in the snapshot it makes."""

    def __init__(
        self, catalog: Catalog, files: FileStore, name: str, *, tenant: str, to: str, run_id: str, keep_cursor: bool,
        allow: Allow = any_use,
    ) -> None:  # fmt: skip
        self._catalog, self._files, self._name, self._tenant = catalog, files, name, tenant
        self._to, self._run, self._keep, self._allow = to, run_id, keep_cursor, allow

    def run(self) -> RolledBack:
        """Raises `ConfigurationError` (no ancestor of main, nothing to undo), `DataError`, `StorageUnavailable`."""
        outcome = commit(self._catalog, self._name, self._done, self._change)
        made = self._made(outcome.table)
        assert made is not None
        summary = said(made)
        lanes = tuple(json.loads(summary["dativo.lanes"]))
        return RolledBack(made.snapshot_id, int(summary["dativo.rolled-back-to"]), int(summary["dativo.undone"]), lanes)

    def _made(self, table: Table) -> Snapshot | None:
        """The snapshot of this rollback, once it has landed."""
        found = (each for each in table.metadata.snapshots if said(each).get("dativo.run") == self._run)
        return next(found, None)

    def _done(self, table: Table) -> bool:
        check_owner(table, self._tenant)
        return self._made(table) is not None

    def _change(self, table: Table) -> Change:
        target = find_snapshot(table, self._to)
        undone = undone_by(table, target)
        self._allow(table, target, "rollback")
        records = self._records(table, target, undone)
        moved = [] if self._keep else sorted(_moved(undone))
        summary = {
            "dativo.run": self._run,
            OPERATION: "rollback",
            "dativo.rolled-back-to": str(target.snapshot_id),
            "dativo.undone": str(len(undone)),
            "dativo.lanes": json.dumps(moved),
            STATES: json.dumps({lane_of(key): summary_of(text) for key, text in records.items()}),
        }
        return Change(summary=summary, properties=records, refs={MAIN: Ref("branch", target.snapshot_id)})

    def _records(self, table: Table, target: Snapshot, undone: list[Snapshot]) -> dict[str, str]:
        """Every lane's new property: one step on, and where its rows were undone, its cursor as it was."""
        then, moved = lanes_at(table.metadata, target.snapshot_id), {} if self._keep else _moved(undone)
        found = {}
        for key in (key for key in table.properties if key.startswith(PREFIX)):
            now = read_state(table.properties, key, self._files, self._name)
            before = table.properties[key]
            if (lane := lane_of(key)) in moved:
                before = then.get(lane, "")
                stood = self._stood(key, before, moved[lane])
                now = replace(now, cursor=stood.cursor, rewound=stood.rewound)
            after = now.step(self._run)
            found[key] = write_state(after, self._run, table.location(), self._files, before)
        return found

    def _stood(self, key: str, record: str, first_undone: int) -> State:
        if record:
            return read_state({key: record}, key, self._files, self._name)
        if first_undone <= 1:
            return State()  # the lane began after the target
        raise DataError(
            f"where '{lane_of(key)}' stood at that snapshot is no longer known: the snapshots before it have expired",
            where=self._name,
            remedy="roll back with --keep-cursor and then set the cursor with `dativo state set`",
        )


def undone_by(table: Table, target: Snapshot) -> list[Snapshot]:
    """The snapshots between main's head and `target`, newest first. Raises unless `target` is in main's past."""
    line = list(ancestors(table.metadata, main_head(table)))
    name = ".".join(table.name())
    if target.snapshot_id not in {snapshot.snapshot_id for snapshot in line}:
        raise ConfigurationError(
            f"snapshot {target.snapshot_id} is not in the past of main: going there would drop rows unseen",
            where=name,
            remedy="choose one that `dativo snapshots` shows as an ancestor, or read it with `dativo query --as-of`",
        )
    undone = list(takewhile(lambda snapshot: snapshot.snapshot_id != target.snapshot_id, line))
    if not undone:
        raise ConfigurationError("the table is at this snapshot already", where=name, remedy="choose an earlier one")
    return undone


def _moved(undone: list[Snapshot]) -> dict[str, int]:
    """Lanes that moved in the undone snapshots, with the `seq` of the first such move. Maintenance moves none."""
    moving = [each for each in undone if LANE in said(each) or said(each).get(OPERATION) == "rollback"]
    return {lane: int(json.loads(text)["seq"]) for each in moving for lane, text in lanes_in(each).items()}
