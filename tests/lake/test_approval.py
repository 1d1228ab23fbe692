"""Rows that wait on a branch: unseen until approved, gone when rejected, exact whatever dies in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dativo_provider.errors import ConfigurationError, Fenced
from dativo_provider.lake.commit import Change, Ref, commit
from dativo_provider.lake.maintain.rewrite import merge_manifests
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor
from dativo_provider.vocabulary import WriteMode
from tests.conformance.targets import commits, lost_response
from tests.lake.killing import Point, in_child
from tests.lake.support import Lake, job, settings
from tests.support import requirement

if TYPE_CHECKING:
    from pyiceberg.table import Table

COMMIT = "pyiceberg.catalog.sql:SqlCatalog.commit_table"
POINTS = {
    "before anything": Point("dativo_provider.lake.publish:commit"),
    "its manifests are written": Point("pyiceberg.table:Transaction.commit_transaction"),
    "before the catalog knows": Point(COMMIT),
    "the catalog knows": Point(COMMIT, "after"),
}
APPROVING = {
    **POINTS,
    "before the quarantine": Point("dativo_provider.lake.publish:finish_pending"),
    "the quarantine is in": Point(COMMIT, "after", 2),
}


def waits(where: Settings, mode: str = "append") -> Lake:
    return Lake(where, job(publish="branch", mode=mode))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A table with id 0 on main."""
    Lake(settings(tmp_path)).run([0], bad=[100], cursor=10)
    return waits(settings(tmp_path))


def put(lake: Lake, rows: list[int]) -> tuple[Plan, Manifest]:
    plan = lake.plan()
    made = lake.extract(plan, rows, [101])
    assert lake.publish(plan, [made], 20).outcome == "waiting"
    return plan, made


def approve(lake: Lake, plan: Plan, made: Manifest) -> str:
    return lake.target.approve(plan, [made], Cursor({"value": 20})).outcome


def refs(lake: Lake) -> set[str]:
    return set(lake.target.table(lake.name()).metadata.refs)


@requirement("MKV-09", "STA-09")
def test_what_waits_is_on_its_branch_only_and_so_is_its_state(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    assert lake.ids() == [0]
    assert lake.quarantine() == ["r100"]
    assert lake.state().seq == 1
    table = lake.target.table(lake.name())
    assert sorted(table.scan().use_ref(f"audit_{plan.plan_id}").to_arrow()["id"].to_pylist()) == [0, 1, 2]
    assert lake.target.waiting(lake.job, lake.spec) == plan.plan_id
    assert lake.publish(plan, [made], 20).outcome == "waiting", "again changes nothing"


@requirement("MKV-09", "STA-09")
def test_an_approval_moves_main_and_state_together_once(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    assert [approve(lake, plan, made), approve(lake, plan, made)] == ["committed", "already"]
    assert (lake.ids(), lake.quarantine()) == ([0, 1, 2], ["r100", "r101"])
    assert (lake.state().seq, lake.state().cursor) == (2, Cursor({"value": 20}))
    assert refs(lake) == {"main"}
    assert lake.publish(plan, [made], 20).outcome == "already", "a late twin of the publish puts no branch back"
    assert refs(lake) == {"main"}


def test_the_first_run_of_a_table_can_wait_too(tmp_path: Path) -> None:
    lake = waits(settings(tmp_path))
    plan, made = put(lake, [1])
    assert lake.ids() == []
    assert approve(lake, plan, made) == "committed"
    assert lake.ids() == [1]


def test_a_replace_waits_with_the_old_rows_on_main(lake: Lake) -> None:
    full = waits(lake.settings, mode="replace")
    plan, made = put(full, [7, 8])
    assert full.ids() == [0]
    approve(full, plan, made)
    assert full.ids() == [7, 8]


@requirement("MKV-09")
def test_a_rejected_run_is_gone_and_its_twin_cannot_bring_it_back(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    lake.target.reject(plan)
    lake.target.reject(plan)  # once more, since the first may have died before it was told
    assert (refs(lake), lake.ids(), lake.state().cursor) == ({"main"}, [0], Cursor({"value": 10}))
    assert lake.target.sweep(plan) == 2
    with pytest.raises(Fenced):
        lake.publish(plan, [made], 20)
    with pytest.raises((Fenced, ConfigurationError)):
        approve(lake, plan, made)
    again, rows = put(lake, [1, 2])
    approve(lake, again, rows)
    with pytest.raises(ConfigurationError, match="does not wait"):
        lake.target.reject(again)
    assert lake.ids() == [0, 1, 2]


def others(lake: Lake) -> Lake:
    """Another job that publishes to the same table."""
    return Lake(lake.settings, replace(job(), id="returns", name="returns"))


@requirement("MKV-09", "ING-25")
def test_rows_that_are_only_added_go_on_top_of_what_others_have_committed_since(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    others(lake).run([50])
    assert [approve(lake, plan, made), approve(lake, plan, made)] == ["committed", "already"]
    assert (lake.ids(), lake.quarantine()) == ([0, 1, 2, 50], ["r100", "r101"])
    assert (lake.state().seq, lake.state().cursor, refs(lake)) == (2, Cursor({"value": 20}), {"main"})
    files = lake.target.table(lake.name()).inspect.files()["file_path"].to_pylist()
    assert len(files) == len(set(files)) == 3


@requirement("MKV-09", "ING-25")
def test_an_approval_that_would_drop_what_others_have_committed_since_is_refused(lake: Lake) -> None:
    """A merge that was looked at is another one where others have brought rows."""
    merging = waits(lake.settings, mode="merge")
    plan, made = put(merging, [0, 1])
    others(lake).run([50])
    with pytest.raises(Fenced, match="main has moved"):
        approve(merging, plan, made)
    assert (lake.ids(), lake.state().seq) == ([0, 50], 1)
    merging.target.reject(plan)
    again, rows = put(merging, [0, 1])
    assert approve(merging, again, rows) == "committed"
    assert lake.ids() == [0, 1, 50]


@requirement("ING-25")
@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
def test_main_whose_files_were_rewritten_meanwhile_is_no_obstacle(lake: Lake, mode: WriteMode) -> None:
    """Another engine's compaction, or ours from before the run was on its branch."""
    lake = waits(lake.settings, mode=mode)
    others(lake).run([50]) if mode != "replace" else None
    plan, made = put(lake, [0, 1])
    rewrite(lake)
    assert approve(lake, plan, made) == "committed"
    assert lake.ids() == {"append": [0, 0, 1, 50], "replace": [0, 1], "merge": [0, 1, 50]}[mode]
    assert refs(lake) == {"main"}


def rewrite(lake: Lake) -> None:
    """A snapshot that says it replaced files by others with the same rows."""
    change = Change(update=merge_manifests)
    before = lake.target.table(lake.name()).metadata.current_snapshot_id
    commit(
        lake.target.catalog, lake.name(), lambda now: now.metadata.current_snapshot_id != before, lambda _now: change
    )


@requirement("MKV-09")
def test_main_taken_back_by_another_engine_does_not_come_back_with_an_approval(lake: Lake) -> None:
    first = lake.target.table(lake.name()).metadata.current_snapshot_id
    assert first is not None
    others(lake).run([50])
    plan, made = put(waits(lake.settings), [1])
    take_back(lake, first)
    assert approve(lake, plan, made) == "committed"
    assert lake.ids() == [0, 1]
    plan, made = put(waits(lake.settings, mode="merge"), [2])
    take_back(lake, first)
    with pytest.raises(Fenced):
        approve(waits(lake.settings, mode="merge"), plan, made)


def take_back(lake: Lake, to: int) -> None:
    def done(now: Table) -> bool:
        return now.metadata.current_snapshot_id == to

    commit(lake.target.catalog, lake.name(), done, lambda _: Change(refs={"main": Ref("branch", to)}, snapshot=False))


@requirement("MKV-09")
def test_what_a_reviewer_has_committed_to_the_branch_is_published_or_refused_never_left_out(lake: Lake) -> None:
    for moved in (False, True):
        plan, made = put(lake, [1 + 10 * moved])
        table = lake.target.table(lake.name())
        row = table.scan(limit=1).to_arrow()
        table.append(row.set_column(0, row.schema.field(0), [[77 + moved]]), branch=f"audit_{plan.plan_id}")
        if not moved:
            assert approve(lake, plan, made) == "committed"
            continue
        others(lake).run([50])
        with pytest.raises(Fenced, match="commits of others"):
            approve(lake, plan, made)
    assert lake.ids() == [0, 1, 50, 77]


@requirement("ING-25")
def test_a_rival_that_commits_while_an_approval_is_under_way_is_not_lost(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    busy: list[int] = []

    def behave(real, catalog, *rest):  # type: ignore[no-untyped-def]
        if not busy:
            busy.append(1)
            others(lake).run([50])
        return real(catalog, *rest)

    with commits(behave):
        assert approve(lake, plan, made) == "committed"
    assert lake.ids() == [0, 1, 2, 50]


def test_a_lane_that_moved_fences_the_approval(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    Lake(lake.settings).run([3])
    with pytest.raises(Fenced):
        approve(lake, plan, made)
    assert lake.ids() == [0, 3]


def test_a_run_that_brings_nothing_has_nothing_to_approve(lake: Lake) -> None:
    assert lake.run([], cursor=15).outcome == "committed"
    assert (lake.state().seq, refs(lake)) == (2, {"main"})


@requirement("ING-25")
def test_an_approval_that_landed_but_was_reported_failed_counts_once(lake: Lake) -> None:
    plan, made = put(lake, [1, 2])
    with commits(lost_response(ConnectionError("reset by peer"))):
        assert approve(lake, plan, made) == "committed"
    assert (lake.ids(), lake.state().seq) == ([0, 1, 2], 2)


@requirement("MKV-09")
def test_rows_for_the_quarantine_outlive_a_sweep_while_their_run_waits(lake: Lake, tmp_path: Path) -> None:
    import os
    import time
    from datetime import timedelta

    plan, made = put(lake, [1, 2])
    old = time.time() - 5 * 86400
    for path in tmp_path.rglob("*"):
        os.utime(path, (old, old))
    lake.target.sweep_table(lake.name(), timedelta(hours=1))
    approve(lake, plan, made)
    assert (lake.ids(), lake.quarantine()) == ([0, 1, 2], ["r100", "r101"])


def publish_child(where: Settings, plan: Plan, made: Manifest) -> str:
    return waits(where).publish(plan, [made], 20).outcome


def approve_child(where: Settings, plan: Plan, made: Manifest) -> str:
    return approve(waits(where), plan, made)


@requirement("ING-25", "STA-09")
@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))
def test_a_publish_to_a_branch_killed_anywhere_waits_once(lake: Lake, point: Point) -> None:
    plan = lake.plan()
    made = lake.extract(plan, [1, 2], [101])
    assert in_child(publish_child, lake.settings, plan, made, kill=point).killed
    assert (lake.ids(), lake.state().seq) == ([0], 1)
    assert lake.publish(plan, [made], 20).outcome == "waiting"
    approve(lake, plan, made)
    assert (lake.ids(), lake.quarantine()) == ([0, 1, 2], ["r100", "r101"])


@requirement("ING-25", "STA-09")
@pytest.mark.crash
@pytest.mark.parametrize("point", APPROVING.values(), ids=list(APPROVING))
@pytest.mark.parametrize("moved", [False, True], ids=["main stands", "main moved"])
def test_an_approval_killed_anywhere_ends_up_exact(lake: Lake, point: Point, moved: bool) -> None:
    plan, made = put(lake, [1, 2])
    if moved:
        others(lake).run([50])
    assert in_child(approve_child, lake.settings, plan, made, kill=point).killed
    assert approve(lake, plan, made) in {"committed", "already"}
    assert (lake.ids(), lake.quarantine()) == ([0, 1, 2, *([50] if moved else [])], ["r100", "r101"])
    assert (lake.state().seq, refs(lake)) == (2, {"main"})
