"""What a table's snapshots say about themselves: their line of descent, and where each lane stood at one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["ancestors", "lanes_at", "lanes_in", "recorded", "said"]

LANE, STATE, STATES, OPERATION = "dativo.lane", "dativo.state", "dativo.states", "dativo.operation"
PENDING = "dativo.pending"  # of a run that waits on its branch: its rows for the quarantine


def said(snapshot: Snapshot) -> Mapping[str, str]:
    """The summary's own keys and values."""
    return dict(snapshot.summary.additional_properties) if snapshot.summary else {}


def ancestors(metadata: TableMetadata, snapshot_id: int | None) -> Iterator[Snapshot]:
    """The snapshot, its parent and so on, as far as they have not been expired."""
    known = {snapshot.snapshot_id: snapshot for snapshot in metadata.snapshots}  # the library's look-up reads them all
    while snapshot_id is not None and (snapshot := known.get(snapshot_id)) is not None:
        yield snapshot
        snapshot_id = snapshot.parent_snapshot_id


def lanes_in(snapshot: Snapshot) -> dict[str, str]:
    """Records of the lanes that this very snapshot moved, as `summary_of` made them, by `lane_of`."""
    summary = said(snapshot)
    found = dict(json.loads(summary[STATES])) if STATES in summary else {}
    if LANE in summary and STATE in summary:
        found[summary[LANE]] = summary[STATE]
    return found


def lanes_at(metadata: TableMetadata, snapshot_id: int) -> dict[str, str]:
    """Records of every lane as they were when the snapshot was made, as far back as history is kept."""
    found: dict[str, str] = {}
    for snapshot in ancestors(metadata, snapshot_id):
        found = {**lanes_in(snapshot), **found}
    return found


def recorded(table: Table) -> Iterator[str]:
    """Every lane's record in any snapshot of the table."""
    for snapshot in table.metadata.snapshots:
        yield from lanes_in(snapshot).values()
