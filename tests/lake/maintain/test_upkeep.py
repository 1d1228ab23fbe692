"""Manifests, metadata files, orphans and statistics."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from dativo_provider.lake.history import lanes_at
from dativo_provider.lake.maintain import JOBS
from dativo_provider.model.maintenance import MaintenanceSpec
from tests.lake.maintain.support import SPEC, age, head, ids, maintain, small_files
from tests.lake.support import Lake, settings
from tests.support import requirement


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(settings(tmp_path))


def manifests(lake: Lake) -> list[object]:
    return list(head(lake).manifests(lake.target.table(lake.name()).io))


@requirement("TAG-08")
def test_many_manifests_become_one_and_no_file_is_lost(lake: Lake) -> None:
    rows = small_files(lake)
    entries = _sequences(lake)
    done = maintain(lake, "manifests")
    assert (done.outcome, done.before.files, done.after.files) == ("done", 6, 1)
    assert (ids(lake), _sequences(lake)) == (rows, entries)
    assert head(lake).summary.operation.value == "replace"
    assert head(lake).summary["total-records"] == "60"
    assert maintain(lake, "manifests").outcome == "nothing"


def _sequences(lake: Lake) -> dict[str, int]:
    """A merged manifest must not make old files look new: delete files of other engines apply by this number."""
    io = lake.target.table(lake.name()).io
    found = [entry for manifest in manifests(lake) for entry in manifest.fetch_manifest_entry(io)]  # type: ignore[attr-defined]
    return {entry.data_file.file_path: entry.sequence_number for entry in found}


def test_a_run_that_publishes_while_manifests_merge_is_kept(lake: Lake) -> None:
    from dativo_provider.lake.maintain import manifests as leaf

    rows, real, once = small_files(lake), leaf._change, []

    def late(table: object, name: str) -> object:
        found = real(table, name)  # type: ignore[arg-type]
        if not once:
            once.append(1)
            lake.run([900])
        return found

    with mock.patch.object(leaf, "_change", late):
        maintain(lake, "manifests")
    assert ids(lake) == [*rows, 900]


def test_few_manifests_are_left_alone(lake: Lake) -> None:
    small_files(lake, count=2)
    assert maintain(lake, "manifests").outcome == "nothing"


def test_metadata_files_that_left_the_log_are_deleted(lake: Lake, tmp_path: Path) -> None:
    rows = small_files(lake)
    spec = MaintenanceSpec(keep_metadata=2)
    assert "previous-versions-max=2" in maintain(lake, "metadata", spec=spec).note
    age(tmp_path)
    foretold = maintain(lake, "metadata", spec=spec, dry_run=True)
    done = maintain(lake, "metadata", spec=spec)
    assert (foretold.after, done.after.files) == (done.after, 3)
    assert len(list((tmp_path / "warehouse/acme/orders/metadata").glob("*.metadata.json"))) == 3
    assert ids(lake) == rows
    assert maintain(lake, "metadata", spec=spec).outcome == "nothing"


@requirement("ING-25")
def test_where_the_catalog_keeps_more_than_the_table_shows_nothing_goes(lake: Lake, tmp_path: Path) -> None:
    spec = MaintenanceSpec(keep_metadata=1)
    for number in range(4):
        lake.run([number])
    with lake.target.table(lake.name()).transaction() as change:
        change.set_properties({"gc.enabled": "false", "write.metadata.previous-versions-max": "1"})
    age(tmp_path)
    folder = tmp_path / "warehouse/acme/orders/metadata"
    before = sorted(folder.glob("*.metadata.json"))
    assert maintain(lake, "metadata", spec=spec).outcome == "nothing"
    assert "write.metadata.delete-after-commit.enabled" not in lake.target.table(lake.name()).properties
    assert set(before) <= set(folder.glob("*.metadata.json"))
    with lake.target.table(lake.name()).transaction() as change:
        change.set_properties({"gc.enabled": "true"})
    maintain(lake, "metadata", spec=spec)
    assert not set(before) <= set(folder.glob("*.metadata.json"))


def test_a_metadata_file_of_a_commit_in_flight_is_not_deleted(lake: Lake, tmp_path: Path) -> None:
    small_files(lake, count=2)
    spec = MaintenanceSpec(keep_metadata=1)
    maintain(lake, "metadata", spec=spec)
    flying = tmp_path / "warehouse/acme/orders/metadata/00099-0b7e1c1e-6d3a-4a58-9d4c-3b6f0c0a7d11.metadata.json"
    flying.write_text("{}")
    age(tmp_path)
    maintain(lake, "metadata", spec=spec)
    assert flying.exists()


def test_orphans_go_and_running_jobs_keep_their_files(lake: Lake, tmp_path: Path) -> None:
    rows = small_files(lake)
    dead, running = lake.plan(), lake.plan()
    lake.extract(dead, [5])
    made = lake.extract(running, [600])
    age(tmp_path)
    foretold = maintain(lake, "orphans", running={running.plan_id}, dry_run=True)
    done = maintain(lake, "orphans", running={running.plan_id})
    assert (foretold.outcome, done.before.files - done.after.files) == ("planned", 1)
    lake.publish(running, [made])
    assert ids(lake) == [*rows, 600]


def test_a_state_file_lives_as_long_as_a_snapshot_names_it(lake: Lake, tmp_path: Path) -> None:
    big = [f"{number:032x}" for number in range(400)]
    for number in range(3):
        lake.run([number], cursor=[number, *big])
    folder = tmp_path / "warehouse/acme/orders/metadata"
    assert len(list(folder.glob("dativo-state-*"))) == 3
    age(tmp_path)
    assert maintain(lake, "orphans").outcome == "nothing"
    maintain(lake, "expire", later=2)
    maintain(lake, "orphans")
    assert len(list(folder.glob("dativo-state-*"))) == 1
    assert lake.state().seq == 3


@pytest.mark.parametrize("name", ["compact", "manifests"])
def test_a_snapshot_of_maintenance_says_where_every_lane_stood(lake: Lake, name: str) -> None:
    """A rollback to it finds them even when older snapshots have expired."""
    small_files(lake)
    stood = lanes_at(lake.target.table(lake.name()).metadata, head(lake).snapshot_id)
    maintain(lake, name)
    maintain(lake, "expire", later=2)
    table = lake.target.table(lake.name())
    assert len(table.metadata.snapshots) == 1
    assert lanes_at(table.metadata, head(lake).snapshot_id) == stood != {}


def test_statistics_count_what_is_there(lake: Lake) -> None:
    small_files(lake)
    maintain(lake, "compact")
    facts = maintain(lake, "statistics").facts
    assert (facts["table_rows"], facts["table_files"], facts["table_snapshots"]) == (60, 1, 7)
    assert facts["table_bytes"] > 0


def test_everything_in_a_row_keeps_every_row(lake: Lake, tmp_path: Path) -> None:
    rows = small_files(lake, count=12)
    age(tmp_path)
    for name in JOBS:
        maintain(lake, name, later=2, spec=SPEC)
    assert ids(lake) == rows
    small_files(lake, count=2, start=1000)
    assert len(ids(lake)) == len(rows) + 20
