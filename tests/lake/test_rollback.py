"""A table goes back to its own past, and the next run reads again what was undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, DataError, Fenced
from dativo_provider.lake.refs import find_snapshot, remove_ref, set_ref
from dativo_provider.lake.rollback import Rollback, RolledBack
from dativo_provider.model.run import Lane
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor
from tests.conformance.targets import commits, lost_response
from tests.lake.killing import Point, in_child
from tests.lake.support import Lake, settings
from tests.support import requirement

COMMIT = "pyiceberg.catalog.sql:SqlCatalog.commit_table"
BACKFILL = Lane("backfill", "2025")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three runs: ids 0, 1 and 2 with cursors 10, 20 and 30."""
    made = Lake(settings(tmp_path))
    for number in range(3):
        made.run([number], bad=[100 + number], cursor=10 * (number + 1))
    return made


def roll_back(lake: Lake, to: Any, *, keep_cursor: bool = False, run_id: str = "rollback-1") -> RolledBack:
    catalog, files = lake.target.catalog, lake.target.files
    return Rollback(
        catalog, files, lake.name(), tenant="acme", to=str(to), run_id=run_id, keep_cursor=keep_cursor
    ).run()


def line(lake: Lake) -> list[int]:
    return [snapshot.snapshot_id for snapshot in lake.target.table(lake.name()).metadata.snapshots]


def cursor(lake: Lake, lane: Lane | None = None) -> Any:
    found = lake.state(lane).cursor
    return found.value["value"] if found else None


@requirement("ING-25", "STA-09", "SN-22", "ML-04")
def test_rows_and_cursor_go_back_together_and_the_quarantine_stays(lake: Lake) -> None:
    first = line(lake)[0]
    done = roll_back(lake, first)
    assert (done.target, done.undone, done.lanes) == (first, 2, ("orders.orders",))
    assert lake.ids() == [0]
    assert (cursor(lake), lake.state().seq) == (10, 4)
    assert lake.quarantine() == ["r100", "r101", "r102"]
    lake.run([1, 2], cursor=30)
    assert lake.ids() == [0, 1, 2]


@requirement("STA-09", "SN-22")
def test_a_kept_cursor_stays_where_it_was(lake: Lake) -> None:
    roll_back(lake, line(lake)[0], keep_cursor=True)
    assert (lake.ids(), cursor(lake), lake.state().seq) == ([0], 30, 4)


@requirement("ING-25", "STA-09")
def test_a_run_planned_before_a_rollback_is_fenced(lake: Lake) -> None:
    plan = lake.plan()
    made = lake.extract(plan, [3])
    roll_back(lake, line(lake)[0])
    with pytest.raises(Fenced):
        lake.publish(plan, [made], 40)
    assert lake.ids() == [0]


@requirement("ING-25")
@pytest.mark.parametrize("keep_cursor", [True, False])
def test_the_head_after_a_rollback_is_a_new_one(lake: Lake, keep_cursor: bool) -> None:
    """A commit prepared on the old head, held up until after the rollback, would compare equal with it."""
    first = line(lake)[0]
    roll_back(lake, first, keep_cursor=keep_cursor)
    assert lake.target.table(lake.name()).metadata.refs["main"].snapshot_id not in {first, *line(lake)[:3]}


@requirement("ING-25")
def test_a_late_twin_of_an_undone_run_publishes_nothing(lake: Lake) -> None:
    plan = lake.plan()
    made = lake.extract(plan, [3])
    lake.publish(plan, [made], 40)
    roll_back(lake, line(lake)[2])
    assert lake.publish(plan, [made], 40).outcome == "already"
    assert lake.ids() == [0, 1, 2]


@requirement("SN-22")
def test_lanes_go_back_each_to_where_it_stood(lake: Lake) -> None:
    lake.run([7], cursor=70, lane=BACKFILL)
    lake.run([3], cursor=40)
    lake.run([8], cursor=80, lane=BACKFILL)
    snapshots = line(lake)
    done = roll_back(lake, snapshots[3])
    assert done.lanes == ("orders.orders", "orders.orders.backfill.2025")
    assert (lake.ids(), cursor(lake), cursor(lake, BACKFILL)) == ([0, 1, 2, 7], 30, 70)
    roll_back(lake, snapshots[2], run_id="rollback-2")
    assert (cursor(lake), cursor(lake, BACKFILL)) == (30, None), "a lane that began later begins again"
    assert lake.state(BACKFILL).seq == 4, "its runs, and two rollbacks: nothing planned before may publish"


@requirement("SN-22")
def test_a_rollback_can_itself_be_rolled_over_and_remembered(lake: Lake) -> None:
    first, second, _third = line(lake)
    roll_back(lake, second)
    lake.run([2, 3], cursor=35)
    roll_back(lake, first, run_id="rollback-2")
    assert (lake.ids(), cursor(lake)) == ([0], 10)
    lake.run([5], cursor=50)
    kept = roll_back(lake, first, keep_cursor=True, run_id="rollback-3").snapshot_id
    lake.run([6], cursor=60)
    roll_back(lake, kept, run_id="rollback-4")
    assert (lake.ids(), cursor(lake)) == ([0], 50), "as it stood after that rollback, which kept the cursor"


@requirement("STA-09", "SN-22")
def test_a_large_state_goes_back_too(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    for number in range(4):
        plan = lake.plan()
        files = {f"file-{n}": {"size": n} for n in range(400 * (number + 1))}
        lake.target.publish(plan, [lake.extract(plan, [number])], Cursor({"files": files}))
    roll_back(lake, line(lake)[1])
    state = lake.state()
    assert state.cursor is not None
    assert len(state.cursor.value["files"]) == 800


def test_going_nowhere_or_to_another_line_is_refused(lake: Lake) -> None:
    first, second, third = line(lake)
    with pytest.raises(ConfigurationError, match="already"):
        roll_back(lake, third)
    roll_back(lake, first)
    for snapshot in (second, third):
        with pytest.raises(ConfigurationError, match="not in the past of main"):
            roll_back(lake, snapshot, run_id="rollback-2")
    for unknown in ("12345", "v1", "1999-01-01"):
        with pytest.raises(ConfigurationError, match="names no version"):
            roll_back(lake, unknown, run_id="rollback-2")
    assert lake.state().seq == 4


def test_history_that_has_expired_is_not_guessed_at(lake: Lake) -> None:
    first, second, third = line(lake)
    lake.run([7], cursor=70, lane=BACKFILL)
    target = line(lake)[-1]
    lake.run([3], cursor=40)
    table = lake.target.table(lake.name())
    table.maintenance.expire_snapshots().by_ids([first, second, third]).commit()
    with pytest.raises(DataError, match="no longer known"):
        roll_back(lake, target)
    roll_back(lake, target, keep_cursor=True)
    assert lake.ids() == [0, 1, 2, 7]


@requirement("ML-04")
def test_versions_are_found_by_tag_branch_id_and_time(lake: Lake) -> None:
    catalog, name = lake.target.catalog, lake.name()
    first, second, third = line(lake)
    assert set_ref(catalog, name, "model_v1", "tag", str(second)) == second
    assert set_ref(catalog, name, "model_v1", "tag", str(second)) == second, "again changes nothing"
    assert set_ref(catalog, name, "trial", "branch", "") == third
    table = lake.target.table(name)
    assert find_snapshot(table, "model_v1").snapshot_id == second
    assert find_snapshot(table, "trial").snapshot_id == third
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(table.metadata.snapshot_by_id(second).timestamp_ms / 1000, UTC)  # type: ignore[union-attr]
    assert find_snapshot(table, at.isoformat()).snapshot_id == second
    assert find_snapshot(table, str(first)).snapshot_id == first
    with pytest.raises(ConfigurationError, match="already"):
        set_ref(catalog, name, "model_v1", "tag", str(first))
    with pytest.raises(ConfigurationError, match="no branch"):
        remove_ref(catalog, name, "model_v1", "branch")
    remove_ref(catalog, name, "model_v1", "tag")
    assert "model_v1" not in lake.target.table(name).metadata.refs


@pytest.mark.parametrize("bad", ["", "1", "main", "audit_x", "a b", "a/b", "2026-01-01", "é", "a" * 101, "-x"])
def test_names_that_could_be_taken_for_something_else_are_refused(lake: Lake, bad: str) -> None:
    with pytest.raises(ConfigurationError):
        set_ref(lake.target.catalog, lake.name(), bad, "tag", "")


def test_at_a_time_readers_saw_what_was_current_then(lake: Lake) -> None:
    """Not what main's line of descent has: an undone snapshot was seen by readers all the same."""
    table = lake.target.table(lake.name())
    third = table.metadata.snapshots[-1]
    roll_back(lake, line(lake)[0])
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(third.timestamp_ms / 1000, UTC)
    assert find_snapshot(lake.target.table(lake.name()), at.isoformat()).snapshot_id == third.snapshot_id


@requirement("ING-25")
def test_a_rollback_that_landed_but_was_reported_failed_counts_once(lake: Lake) -> None:
    first = line(lake)[0]
    with commits(lost_response(ConnectionError("reset by peer"))):
        roll_back(lake, first)
    assert (lake.ids(), lake.state().seq) == ([0], 4)


def again(where: Settings, to: int) -> list[int]:
    lake = Lake(where)
    roll_back(lake, to)
    return lake.ids()


@requirement("ING-25", "STA-09")
@pytest.mark.crash
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rollback_killed_at_its_commit_is_made_once(lake: Lake, when: Any) -> None:
    first = line(lake)[0]
    assert in_child(again, lake.settings, first, kill=Point(COMMIT, when)).killed
    assert (lake.ids(), cursor(lake)) == (([0], 10) if when == "after" else ([0, 1, 2], 30))
    assert in_child(again, lake.settings, first).result == [0]
    assert (cursor(lake), lake.state().seq) == (10, 4)
