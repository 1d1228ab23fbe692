"""kill -9 while a plain table is published; then everything is there once, for both kinds of readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.settings import Settings
from tests.lake.killing import Point, in_child, start_child
from tests.lake.plain.test_folders import seen
from tests.lake.support import Lake, job, settings
from tests.support import requirement

_CATALOG = "dativo_provider.lake.plain.catalog:FolderCatalog"
_PLACEMENT = "dativo_provider.lake.plain.placement:Placement"
POINTS = {
    "nothing is copied": Point(f"{_PLACEMENT}._announce"),
    "the run is announced": Point(f"{_PLACEMENT}._announce", "after"),
    "one file is copied": Point(f"{_PLACEMENT}._copy", "after"),
    "all are copied": Point(f"{_PLACEMENT}.__call__", "after"),
    "before the version is put": Point(f"{_CATALOG}._put"),
    "the version is put": Point(f"{_CATALOG}._put", "after"),
    "the hint lags": Point("dativo_provider.files.local:LocalFiles.write"),
    "before the quarantine": Point("dativo_provider.lake.publish:finish_pending"),
    "the quarantine is copied": Point(f"{_PLACEMENT}.__call__", "after", 2),
    "the quarantine is in": Point(f"{_CATALOG}.commit_table", "after", 2),
}


def lake_of(where: Settings, mode: str = "append") -> Lake:
    return Lake(where, job(connector="parquet", mode=mode))


def publish(where: Settings, plan: Plan, made: Manifest, mode: str = "append") -> str:
    return lake_of(where, mode).publish(plan, [made], made.books.extracted).outcome


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@requirement("ING-25", "STA-09")
@pytest.mark.crash
@pytest.mark.parametrize("again", ["the same run again", "a new run"])
@pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))
def test_a_publish_killed_anywhere_ends_up_exact(where: Settings, point: Point, again: str) -> None:
    lake = lake_of(where)
    lake.run([0], bad=[100])
    plan = lake.plan()
    made = lake.extract(plan, [1, 2], [101])
    assert in_child(publish, where, plan, made, kill=point).killed
    if again == "the same run again":
        assert lake.publish(plan, [made], 3).outcome in {"committed", "already"}
    elif lake.state().seq == 1:
        lake.run([1, 2], bad=[101])
    else:
        lake.run([])
    lake.target.sweep_old(lake.plan())
    assert seen(lake) == lake.ids() == [0, 1, 2]
    assert seen(lake, "row_id", quarantine=True) == lake.quarantine() == ["r100", "r101"]


@requirement("ING-25")
@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))
def test_a_twin_of_a_killed_publish_is_exact_too(where: Settings, point: Point) -> None:
    lake = lake_of(where)
    plan = lake.plan()
    made = lake.extract(plan, range(10), [101])
    dying, twin = start_child(publish, where, plan, made, kill=point), start_child(publish, where, plan, made)
    assert dying.wait().exitcode in {0, -9}  # the twin may have been faster everywhere
    ended = twin.wait()
    assert ended.result in {"committed", "already"}, ended.error
    assert seen(lake) == lake.ids() == list(range(10))
    assert lake.quarantine() == ["r101"]


@requirement("ING-25")
@pytest.mark.crash
@pytest.mark.parametrize("point", [p for p in POINTS.values() if p.call == 1 and "publish" not in p.place], ids=str)
def test_a_replace_killed_anywhere_leaves_the_old_rows_or_the_new_ones(where: Settings, point: Point) -> None:
    full = lake_of(where, "replace")
    full.run([1, 2, 3])
    plan = full.plan()
    made = full.extract(plan, [7, 8])
    in_child(publish, where, plan, made, "replace", kill=point)
    assert full.ids() in ([1, 2, 3], [7, 8])
    full.publish(plan, [made])
    full.target.sweep_old(plan)
    assert seen(full) == full.ids() == [7, 8]
