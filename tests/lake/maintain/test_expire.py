"""Expiry forgets what is old, keeps what somebody named, and deletes no file that can still be reached."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from dativo_provider.files import local_path
from dativo_provider.lake.maintain import expire
from dativo_provider.lake.sweep import reachable
from dativo_provider.model.maintenance import MaintenanceSpec
from tests.lake.maintain.support import age, head, ids, maintain, small_files
from tests.lake.support import Lake, job, settings
from tests.support import requirement

LATER = {"later": 2.0}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(settings(tmp_path))


def snapshots(lake: Lake) -> list[int]:
    return [snapshot.snapshot_id for snapshot in lake.target.table(lake.name()).metadata.snapshots]


def files(tmp_path: Path) -> set[Path]:
    return {path for path in (tmp_path / "warehouse/acme/orders").rglob("*") if path.is_file()}


@requirement("TAG-08")
def test_old_snapshots_go_with_the_files_only_they_needed(lake: Lake, tmp_path: Path) -> None:
    rows = small_files(lake)
    maintain(lake, "compact")
    age(tmp_path)
    before = files(tmp_path)
    done = maintain(lake, "expire", **LATER)
    assert (done.outcome, done.note) == ("done", "snapshots expired: 6")
    assert snapshots(lake) == [head(lake).snapshot_id]
    assert (ids(lake), len(list((tmp_path / "warehouse/acme/orders/data").rglob("*.parquet")))) == (rows, 1)
    assert done.before.files - done.after.files == 18  # six times data, manifest and manifest list
    assert len(before - files(tmp_path)) == 18
    assert all(local_path(uri).exists() for uri in reachable(lake.target.table(lake.name())))


@requirement("ING-25")
def test_where_others_may_need_the_files_nothing_is_forgotten(lake: Lake, tmp_path: Path) -> None:
    """Tables made from another's snapshot, or in a catalog with branches of its own."""
    small_files(lake)
    maintain(lake, "compact")
    with lake.target.table(lake.name()).transaction() as change:
        change.set_properties({"gc.enabled": "false"})
    age(tmp_path)
    before, known = files(tmp_path), snapshots(lake)
    assert maintain(lake, "expire", **LATER).outcome == "nothing"
    assert (files(tmp_path), snapshots(lake)) == (before, known)


def test_a_dry_run_foretells_and_removes_nothing(lake: Lake, tmp_path: Path) -> None:
    small_files(lake)
    maintain(lake, "compact")
    age(tmp_path)
    before, known = files(tmp_path), snapshots(lake)
    foretold = maintain(lake, "expire", dry_run=True, **LATER)
    assert (files(tmp_path), snapshots(lake)) == (before, known)
    done = maintain(lake, "expire", **LATER)
    assert (foretold.before, foretold.after, foretold.note) == (done.before, done.after, done.note)


def test_young_snapshots_and_the_last_ones_are_kept(lake: Lake) -> None:
    small_files(lake, count=5)
    assert maintain(lake, "expire").outcome == "nothing"
    spec = MaintenanceSpec(retention_days=1, keep_snapshots=3)
    maintain(lake, "expire", spec=spec, **LATER)
    assert len(snapshots(lake)) == 3


def test_tags_keep_their_snapshot_readable(lake: Lake, tmp_path: Path) -> None:
    small_files(lake, count=2)
    tagged = head(lake).snapshot_id
    lake.target.table(lake.name()).manage_snapshots().create_tag(tagged, "training").commit()
    Lake(settings(tmp_path), job(mode="replace")).run([99])
    age(tmp_path)
    maintain(lake, "expire", **LATER)
    assert "training" in lake.target.table(lake.name()).refs()
    assert ids(lake, tagged) == list(range(20))
    assert ids(lake) == [99]


def test_a_branch_keeps_its_way_back_to_main(lake: Lake, tmp_path: Path) -> None:
    small_files(lake, count=2)
    table = lake.target.table(lake.name())
    fork = head(lake).snapshot_id
    table.manage_snapshots().create_branch(fork, "audit").commit()
    for number in range(2):
        table = lake.target.table(lake.name())
        rows = table.scan(limit=1).to_arrow()
        table.append(rows.set_column(0, rows.schema.field(0), [[1000 + number]]), branch="audit")
    on_branch = lake.target.table(lake.name()).refs()["audit"].snapshot_id
    small_files(lake, count=2, start=500)
    age(tmp_path)
    maintain(lake, "expire", **LATER)
    table = lake.target.table(lake.name())
    line = [snapshot.snapshot_id for snapshot in expire._line(table, "audit")]
    assert len(line) == 3
    assert line[-1] == fork
    assert len(ids(lake, on_branch)) == 22


def test_a_tag_made_while_it_runs_survives(lake: Lake, tmp_path: Path) -> None:
    small_files(lake, count=3)
    first = snapshots(lake)[0]
    real, made = expire.expirable, []

    def late(table: object, given: object) -> set[int]:
        found = real(table, given)  # type: ignore[arg-type]
        if len(made) < 2:
            made.append(1)
            if len(made) == 2:  # after the load of the commit
                lake.target.table(lake.name()).manage_snapshots().create_tag(first, "late").commit()
        return found

    age(tmp_path)
    with mock.patch.object(expire, "expirable", late):
        maintain(lake, "expire", **LATER)
    assert lake.target.table(lake.name()).refs()["late"].snapshot_id == first
    assert ids(lake, first) == list(range(10))


def test_a_run_between_its_load_and_its_commit_is_kept(lake: Lake, tmp_path: Path) -> None:
    rows = small_files(lake, count=3)
    real, made = expire.expirable, []

    def late(table: object, given: object) -> set[int]:
        found = real(table, given)  # type: ignore[arg-type]
        made.append(1)
        if len(made) == 3:
            lake.run([700])
        return found

    age(tmp_path)
    with mock.patch.object(expire, "expirable", late):
        maintain(lake, "expire", **LATER)
    assert ids(lake) == [*rows, 700]
    assert maintain(lake, "expire").outcome == "nothing"


def test_what_was_written_a_moment_ago_is_left_to_a_later_sweep(lake: Lake, tmp_path: Path) -> None:
    small_files(lake)
    maintain(lake, "compact")
    before = files(tmp_path)
    with mock.patch("dativo_provider.lake.maintain.work.Work.before", return_value=9e9):
        maintain(lake, "expire")
    assert len(snapshots(lake)) == 1
    assert before <= files(tmp_path)


def test_files_outside_the_tables_folder_are_never_deleted(lake: Lake, tmp_path: Path) -> None:
    """Somebody else's files that were added to the table by their names."""
    small_files(lake, count=1)
    table = lake.target.table(lake.name())
    (mine,) = [path for path in files(tmp_path) if path.suffix == ".parquet"]
    foreign = tmp_path / "elsewhere.parquet"
    foreign.write_bytes(mine.read_bytes())
    table.add_files([f"file://{foreign}"])
    Lake(settings(tmp_path), job(mode="replace")).run([1])
    age(tmp_path)
    maintain(lake, "expire", **LATER)
    assert foreign.exists()
    assert not mine.exists()
