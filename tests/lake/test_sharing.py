"""What a publish costs does not grow by copying the table's history."""

from __future__ import annotations

from operator import add
from pathlib import Path

import pytest
from pyiceberg.table.snapshots import Snapshot

from tests.lake.support import Lake, settings
from tests.support import requirement


@requirement("PRF-01")
def test_a_publish_copies_no_snapshot_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(settings(tmp_path))
    for number in range(3):
        lake.run([number], cursor=number)
    plan = lake.plan()
    made, copied = lake.extract(plan, [3]), []
    monkeypatch.setattr(Snapshot, "__deepcopy__", lambda self, memo: copied.append(self) or self)
    lake.publish(plan, [made], 3)
    metadata = lake.target.table(lake.name()).metadata
    # the new one is: between two updates of its own transaction, once for each look
    assert {snapshot.snapshot_id for snapshot in copied} <= {metadata.current_snapshot_id}


def test_a_copy_of_the_history_may_grow_alone(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    lake.run([0])
    before = lake.target.table(lake.name()).metadata
    count, copy = len(before.snapshots), before.model_copy(deep=True)
    copy.snapshots.append(copy.snapshots[-1])
    longer = add(before.snapshots, before.snapshots[-1:])
    assert (len(before.snapshots), len(copy.snapshots), len(longer)) == (count, count + 1, count + 1)
