"""Compaction changes files and not one row, whatever else happens to the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pyarrow.parquet as pq
import pytest

from dativo_provider.files import local_path
from dativo_provider.lake.maintain import compact
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.maintenance import MaintenanceSpec
from dativo_provider.model.stream import Field
from tests.lake.maintain.support import data_paths, head, ids, maintain, small_files
from tests.lake.support import FIELDS, Lake, job, settings
from tests.support import requirement

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(settings(tmp_path))


@requirement("ING-05", "TAG-08")
def test_small_files_become_one_and_every_row_stays(lake: Lake) -> None:
    rows = small_files(lake)
    old = head(lake).snapshot_id
    done = maintain(lake, "compact")
    assert (done.outcome, done.before.files, done.after.files) == ("done", 6, 1)
    assert done.after.bytes < done.before.bytes
    assert (ids(lake), len(data_paths(lake))) == (rows, 1)
    assert ids(lake, old) == rows


def test_the_snapshot_says_that_no_row_changed(lake: Lake) -> None:
    small_files(lake)
    before = head(lake).summary
    maintain(lake, "compact")
    after = head(lake).summary
    assert after.operation.value == "replace"
    assert after["dativo.maintenance"] == "compact"
    assert (after["total-records"], after["total-data-files"]) == (before["total-records"], "1")


def test_a_second_compaction_finds_nothing_to_do(lake: Lake) -> None:
    small_files(lake)
    maintain(lake, "compact")
    snapshot = head(lake).snapshot_id
    assert maintain(lake, "compact").outcome == "nothing"
    assert head(lake).snapshot_id == snapshot


def test_a_dry_run_foretells_and_writes_nothing(lake: Lake, tmp_path: Path) -> None:
    small_files(lake)
    files = sorted(tmp_path.rglob("*"))
    foretold = maintain(lake, "compact", dry_run=True)
    assert sorted(tmp_path.rglob("*")) == files
    done = maintain(lake, "compact")
    assert (foretold.outcome, foretold.after.files) == ("planned", done.after.files)


def test_files_of_the_right_size_are_left_alone(lake: Lake) -> None:
    small_files(lake, count=4)
    spec = MaintenanceSpec(target_mb=150, min_files=5)
    assert maintain(lake, "compact", spec=spec).outcome == "nothing"


def test_partitions_are_not_mixed_and_rows_keep_their_order(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(partitioning=(PartitionSpec("at", "day"),)))
    for number in range(4):
        lake.run([{"id": 10 * number + day, "value": "x", "at": START + timedelta(days=day)} for day in range(3)])
    done = maintain(lake, "compact")
    assert (done.before.files, done.after.files) == (12, 3)
    for path in data_paths(lake):
        found = pq.read_table(local_path(path))
        assert len(set(found["at"].to_pylist())) == 1
        assert found["id"].to_pylist() == sorted(found["id"].to_pylist())


def test_files_of_an_older_spec_are_left_alone(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    rows = small_files(lake, count=4)
    table = lake.target.table(lake.name())
    with table.update_spec() as update:
        update.add_field("id", "bucket[2]", "id_bucket")
    old = data_paths(lake)
    newer = Lake(settings(tmp_path), job(partitioning=(PartitionSpec("id", "bucket[2]"),)))
    rows += small_files(newer, count=4, start=100)
    done = maintain(newer, "compact")
    assert (done.before.files, done.after.files) == (12, 6)
    assert set(old) <= set(data_paths(newer))
    assert ids(newer) == rows


def test_encoding_ids_and_bounds_are_those_of_a_publish(tmp_path: Path) -> None:
    fields = (*FIELDS, Field("email", "string", classification="pii"))
    lake = Lake(settings(tmp_path), job(), fields)
    for number in range(4):
        lake.run([{"id": number, "value": "x", "email": f"person{number}@example.com"}])
    published = pq.ParquetFile(local_path(data_paths(lake)[0])).metadata
    maintain(lake, "compact")
    (path,) = data_paths(lake)
    compacted = pq.ParquetFile(local_path(path)).metadata
    assert compacted.schema.to_arrow_schema().equals(published.schema.to_arrow_schema(), check_metadata=True)
    column, before = compacted.row_group(0).column(0), published.row_group(0).column(0)
    assert column.compression == before.compression == "ZSTD"
    assert b"person" not in b"".join(_manifests(lake))


def _manifests(lake: Lake) -> list[bytes]:
    """Bounds of the live files, decoded."""
    table = lake.target.table(lake.name())
    found = [entry.data_file for m in head(lake).manifests(table.io) for entry in m.fetch_manifest_entry(table.io)]
    return [value for file in found for bounds in (file.lower_bounds, file.upper_bounds) for value in bounds.values()]


def test_files_of_older_schemas_come_out_as_the_table_is_now(tmp_path: Path) -> None:
    old = Lake(settings(tmp_path), job(key=()), (Field("n", "int"), Field("f", "float")))
    old.run([{"n": 1, "f": 1.5}])
    old.run([{"n": 2, "f": 2.5}])
    wide = Lake(settings(tmp_path), job(key=()), (Field("n", "long"), Field("f", "double"), Field("x")))
    wide.run([{"n": 2**40, "f": 0.5, "x": "x"}])
    maintain(wide, "compact")
    rows = wide.target.table(wide.name()).scan().to_arrow().sort_by("n").to_pylist()
    assert rows == [
        {"n": 1, "f": 1.5, "x": None},
        {"n": 2, "f": 2.5, "x": None},
        {"n": 2**40, "f": 0.5, "x": "x"},
    ]


def test_an_append_between_writing_and_committing_loses_nothing(lake: Lake) -> None:
    rows = small_files(lake)
    with _between(lambda: lake.run([1000])):
        done = maintain(lake, "compact")
    assert (done.outcome, done.after.files) == ("done", 2)
    assert ids(lake) == [*rows, 1000]


def test_files_that_a_rival_replaced_meanwhile_do_not_come_back(lake: Lake, tmp_path: Path) -> None:
    small_files(lake)
    full = Lake(settings(tmp_path), job(mode="replace"))
    with _between(lambda: full.run([7])):
        done = maintain(lake, "compact")
    assert "another writer" in done.note
    assert ids(lake) == [7]


def test_of_two_compactions_at_once_one_does_the_work(lake: Lake) -> None:
    rows = small_files(lake)
    with _between(lambda: maintain(lake, "compact")):
        done = maintain(lake, "compact")
    assert "another writer" in done.note
    assert (ids(lake), len(data_paths(lake))) == (rows, 1)


def test_a_compaction_neither_fences_a_run_nor_moves_its_state(lake: Lake) -> None:
    rows = small_files(lake)
    plan = lake.plan()
    made = lake.extract(plan, [500])
    state = lake.state()
    maintain(lake, "compact")
    assert lake.state() == state
    assert lake.publish(plan, [made], cursor=9).outcome == "committed"
    assert ids(lake) == [*rows, 500]
    assert lake.state().seq == state.seq + 1


def test_a_lost_answer_to_its_commit_is_not_compacted_twice(lake: Lake) -> None:
    rows = small_files(lake)
    from pyiceberg.catalog.sql import SqlCatalog

    real, calls = SqlCatalog.commit_table, []

    def lost(self: SqlCatalog, *arguments: object) -> object:
        real(self, *arguments)  # type: ignore[arg-type]
        calls.append(1)
        raise ConnectionError("the answer was lost")

    with mock.patch.object(SqlCatalog, "commit_table", lost):
        done = maintain(lake, "compact")
    assert (len(calls), ids(lake), len(data_paths(lake))) == (1, rows, 1)
    assert done.note == ""  # it was us, and no rival


def test_rows_of_another_partition_than_the_manifest_says_are_not_rewritten(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(partitioning=(PartitionSpec("id", "bucket[2]"),)))
    small_files(lake, count=4)
    before = data_paths(lake)
    wrong = mock.patch.object(compact, "_partition", return_value=(7,))
    with wrong, pytest.raises(Exception, match="another partition"):
        maintain(lake, "compact")
    assert data_paths(lake) == before


def test_neighbours_fill_a_file_in_the_order_they_were_published() -> None:
    sizes = {1: 60, 2: 30, 3: 30, 4: 90, 5: 10}
    entries = [
        SimpleNamespace(sequence_number=n, data_file=SimpleNamespace(file_path=f"f{n}", file_size_in_bytes=size))
        for n, size in sizes.items()
    ]
    packed = compact._packed(entries[::-1], 100)  # type: ignore[arg-type]
    assert [[file.file_path for file in files] for files in packed] == [["f1", "f2"], ["f3"], ["f4", "f5"]]


def _between(rival: object) -> object:
    """`rival()` runs once, after the new files were written and before they are committed."""
    real, once = compact.commit, []

    def late(*arguments: object, **named: object) -> object:
        if not once:
            once.append(1)
            rival()  # type: ignore[operator]
        return real(*arguments, **named)  # type: ignore[arg-type]

    return mock.patch.object(compact, "commit", late)


def test_a_table_with_delete_files_is_skipped(lake: Lake) -> None:
    small_files(lake)
    with mock.patch.object(compact, "has_deletes", return_value=True):
        assert maintain(lake, "compact").outcome == "skipped"
