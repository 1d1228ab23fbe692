"""Moves one lane by hand: a commit without rows, compared and set like every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dativo_provider.errors import Fenced
from dativo_provider.files import FileStore
from dativo_provider.lake.commit import Change, commit
from dativo_provider.lake.history import LANE, OPERATION, STATE
from dativo_provider.lake.owner import check_owner
from dativo_provider.lake.state import lane_of, read_state, summary_of, write_state
from dativo_provider.model.run import State

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["reposition"]


def reposition(
    catalog: Catalog, files: FileStore, name: str, tenant: str, key: str, before: State, after: State
) -> None:
    """From `before` to `after`, whose last run is this change's own id. Raises `Fenced` when the lane has moved."""
    change_id = after.runs[-1]

    def done(table: Table) -> bool:
        check_owner(table, tenant)
        now = read_state(table.properties, key, files, name)
        if change_id in now.runs:
            return True
        if now.seq != before.seq:
            raise Fenced(
                f"the lane has moved meanwhile (from {before.seq} to {now.seq})",
                where=f"{name} {key}",
                remedy="look at it again with `dativo state show`, then repeat; nothing was changed",
            )
        return False

    def change(table: Table) -> Change:
        record = write_state(after, change_id, table.location(), files, table.properties.get(key))
        summary = {
            "dativo.run": change_id,
            OPERATION: "state",
            LANE: lane_of(key),
            STATE: summary_of(record),
        }
        return Change(summary=summary, properties={key: record})

    commit(catalog, name, done, change)
