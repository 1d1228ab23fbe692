"""Readers of the folders find the values of partitions; readers of the manifest find all types exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyiceberg.expressions import EqualTo, IsNull

from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.stream import Field
from tests.lake.support import Lake, job, settings
from tests.support import requirement

FIELDS = (
    Field("id", "long"), Field("region"), Field("day", "date"), Field("n", "long"), Field("at", "timestamptz"),
)  # fmt: skip
REGIONS = [
    "EU/West", "eu_west", "EU West", "50%", "a=b", "ümläut 漢", None, "..", " lead", "q?x#y", "a+b", "it's", "{x}",
    "01",
]  # fmt: skip
ROWS = [
    {
        "id": number,
        "region": region,
        "day": date(2026, 1, 2) if number % 3 else None,
        "n": 2**40 + number if number % 2 else None,
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    for number, region in enumerate(REGIONS)
]
FOLDERS = pa.schema([("region", pa.string()), ("day", pa.date32()), ("n", pa.int64()), ("at_day", pa.date32())])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    parts = (PartitionSpec("region"), PartitionSpec("day"), PartitionSpec("n"), PartitionSpec("at", "day"))
    made = Lake(
        settings(tmp_path_factory.mktemp("plain")), job(connector="parquet", partitioning=parts, key=()), FIELDS
    )
    made.run(ROWS)
    return made


def folder(lake: Lake) -> Path:
    return Path(lake.target.layout.data(lake.name().split(".")).removeprefix("file://"))


def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(({key: row[key] for key in ROWS[0]} for row in rows), key=lambda row: row["id"])


@requirement("ING-07", "CON-32")
def test_arrow_reads_the_folders(lake: Lake) -> None:
    rows = ds.dataset(folder(lake), partitioning=ds.partitioning(FOLDERS, flavor="hive")).to_table().to_pylist()
    assert by_id(rows) == ROWS


@requirement("ING-07", "CON-32")
def test_duckdb_reads_the_folders(lake: Lake) -> None:
    types = "{region: varchar, day: date, n: bigint, at_day: date}"
    found = duckdb.connect().sql(
        f"select * from read_parquet('{folder(lake)}/**/*.parquet', hive_partitioning = true, hive_types = {types})"
    )
    columns = [name for name, *_ in found.description]
    assert by_id([dict(zip(columns, row, strict=True)) for row in found.fetchall()]) == ROWS


@requirement("ING-08")
def test_the_manifest_gives_every_value_back(lake: Lake) -> None:
    table = lake.target.table(lake.name())
    assert by_id(table.scan().to_arrow().to_pylist()) == ROWS
    assert table.scan(row_filter=EqualTo("region", "EU/West")).to_arrow()["id"].to_pylist() == [0]
    assert table.scan(row_filter=IsNull("region")).to_arrow()["id"].to_pylist() == [6]
    assert table.scan(selected_fields=("region",)).to_arrow().num_rows == len(ROWS)


def test_staged_rows_have_all_columns(lake: Lake) -> None:
    plan = lake.plan()
    made = lake.extract(plan, ROWS)
    assert by_id([row for rows in lake.target.read_staged(plan, made.files) for row in rows.to_pylist()]) == ROWS
    regions = [row for rows in lake.target.read_staged(plan, made.files, ["region"]) for row in rows.to_pylist()]
    assert sorted(row["region"] or "" for row in regions) == sorted(region or "" for region in REGIONS)


@requirement("ING-07")
def test_a_required_column_may_be_a_folder(tmp_path: Path) -> None:
    fields = (Field("id", "long"), Field("region", required=True))
    made = Lake(settings(tmp_path), job(connector="parquet", partitioning=(PartitionSpec("region"),), key=()), fields)
    made.run([{"id": 1, "region": "eu"}])
    assert made.ids("region") == ["eu"]
