"""Reading back: published keys for the duplicate check, staged rows of a blocked run, a table for a query."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dativo_provider.errors import DataError, StorageUnavailable
from dativo_provider.lake import read
from dativo_provider.model.job import IncrementalSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from tests.lake.support import Lake, job, settings
from tests.support import requirement

KINDS: dict[str, list[Any]] = {
    "int": [1, 2, 3],
    "long": [2**40, 2**41, 2**42],
    "date": [date(1969, 1, 1), date(2026, 1, 1), date(2026, 1, 2)],
    "time": [time(1), time(2), time(23, 59, 59, 999999)],
    "timestamp": [datetime(1969, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1), datetime(2026, 1, 1, 0, 0, 0, 2)],
    "timestamptz": [datetime(2026, 1, 1, h, tzinfo=UTC) for h in (1, 2, 3)],
    "decimal(20,4)": [Decimal("-1.0001"), Decimal("1.0000"), Decimal("1.0001")],
    "string": ["a", "b", "ba"],
    "double": [-1.5, 0.0, 1.5],
    "binary": [b"a", b"b", b"ba"],
}


def keyed(home: Path, kind: str) -> Lake:
    fields = (Field("key", "uuid"), Field("c", kind))
    made = job(key=("key",))
    stream = replace(made.streams[0], incremental=IncrementalSpec("incremental", "c"))
    return Lake(settings(home), replace(made, streams=(stream,)), fields)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_published_keys_are_those_of_the_range_both_ends_included(tmp_path: Path, kind: str) -> None:
    lake, values = keyed(tmp_path, kind), KINDS[kind]
    lake.run([{"key": f"k{n}", "c": value} for n, value in enumerate([*values, None])])
    plan = lake.plan()

    def keys(low: Any, high: Any) -> list[str]:
        rows = lake.target.published_keys(plan, ["key", "c"], low, high)
        assert rows.schema == pa.schema([("key", pa.string()), ("c", to_arrow(kind))])
        return sorted(rows.read_all()["key"].to_pylist())

    assert keys(values[1], values[2]) == ["k1", "k2"]
    assert keys(values[0], values[0]) == ["k0"]
    assert keys(None, None) == ["k0", "k1", "k2", "k3"]


def test_published_keys_read_only_files_that_can_hold_them(tmp_path: Path) -> None:
    lake = keyed(tmp_path, "long")
    for start in (0, 100, 200):
        lake.run([{"key": f"k{n}", "c": n} for n in range(start, start + 100)])
    table = lake.target.table(lake.name())
    assert len(list(table.scan(row_filter=read.between("c", 120, 130)).plan_files())) == 1
    found = lake.target.published_keys(lake.plan(), ["key"], 120, 130).read_all()["key"].to_pylist()
    assert sorted(found) == [f"k{n}" for n in range(120, 131)]


def test_a_table_without_rows_has_no_keys(tmp_path: Path) -> None:
    lake = keyed(tmp_path, "long")
    assert lake.target.published_keys(lake.plan(), ["key", "c"], 1, 2).read_all().num_rows == 0


@requirement("ING-04")
def test_a_staged_file_that_was_swept_says_so(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    plan = lake.plan()
    made = lake.extract(plan, [1])
    lake.target.sweep(plan)
    with pytest.raises(DataError, match="staged file is gone"):
        list(lake.target.read_staged(plan, made.files))


def test_staged_rows_come_by_column(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    plan = lake.plan()
    made = lake.extract(plan, [1, 2])
    rows = list(lake.target.read_staged(plan, made.files, ["value"]))
    assert [row.schema.names for row in rows] == [["value"]]


def test_a_query_sees_the_table_as_arrow(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    first = lake.run([1, 2, 3])
    lake.run([4])
    table = lake.target.table(lake.name())
    found = duckdb.connect()
    found.register("found", read.scan(table, columns=["id"], row_filter="id >= 2"))
    assert found.sql("select count(*), sum(id) from found").fetchall() == [(3, 9)]
    assert read.scan(table, snapshot_id=first.snapshot_id).read_all().num_rows == 3
    assert read.scan(table, limit=2).read_all().num_rows == 2
    assert read.row_count(table) == 4


def test_duckdb_reads_the_files_themselves(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    lake.run(range(1000))
    paths = [task.file.file_path.removeprefix("file://") for task in lake.target.table(lake.name()).scan().plan_files()]
    found = duckdb.sql(f"select count(*), sum(id), max(value) from read_parquet({paths!r})").fetchall()
    assert found == [(1000, 499500, "v999")]
    columns = duckdb.sql(f"describe select * from read_parquet({paths!r})").fetchall()
    assert [row[0] for row in columns] == ["id", "value", "at"]  # no `run` column out of the folder's name


@requirement("ERR-01")
def test_files_that_cannot_be_read_later_are_a_store_that_does_not_answer(tmp_path: Path) -> None:
    """They are opened long after the scan was planned."""
    lake = keyed(tmp_path, "long")
    lake.run([{"key": "k", "c": 1}])
    rows = read.scan(lake.target.table(lake.name()))
    for path in tmp_path.rglob("run-*/*.parquet"):
        path.unlink()
    with pytest.raises(StorageUnavailable):
        rows.read_all()
