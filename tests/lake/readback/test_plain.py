"""Spark and DuckDB list the folders, Spark and PyIceberg read the manifest: all say the same after every kind of
commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dativo_provider.model.job import PartitionSpec
from tests.lake.maintain.support import maintain
from tests.lake.plain.test_upkeep import head, lake_of, rollback
from tests.lake.support import Lake, settings
from tests.services.engine import Engine
from tests.support import requirement

pytestmark = pytest.mark.slow

PARTS = (PartitionSpec("value"), PartitionSpec("at", "day"))
VALUES = ["EU/West", "eu west", None, "50%", "ümläut"]
START = datetime(2026, 1, 1, tzinfo=UTC)
TOTALS = "select count(*), count(distinct id), sum(id), min(id), max(id), count(value) from {}"
BY_FOLDER = "select value, count(*), sum(id), min(id), max(id) from {} group by 1 order by 1 nulls first"


def rows(first: int, count: int) -> list[dict[str, Any]]:
    found = range(first, first + count)
    return [{"id": n, "value": VALUES[n % 5], "at": START + timedelta(days=n % 3)} for n in found]


def appended(lake: Lake) -> list[dict[str, Any]]:
    for number in range(4):
        lake.run(rows(25 * number, 25))
    return rows(0, 100)


def replaced(lake: Lake) -> list[dict[str, Any]]:
    appended(lake)
    lake_of(lake.settings, "replace", partitioning=PARTS).run(rows(500, 30))
    return rows(500, 30)


def compacted(lake: Lake) -> list[dict[str, Any]]:
    found = appended(lake)
    assert maintain(lake, "compact").outcome == "done"
    return found


def rolled_back(lake: Lake) -> list[dict[str, Any]]:
    found, good = appended(lake), head(lake)
    lake.run(rows(900, 50))
    rollback(lake, good)
    return found


COMMITS: dict[str, Callable[[Lake], list[dict[str, Any]]]] = {
    "append": appended, "replace": replaced, "compaction": compacted, "rollback": rolled_back,
}  # fmt: skip


def wanted(expected: list[dict[str, Any]]) -> list[list[list[Any]]]:
    """By counting in Python."""
    ids = [row["id"] for row in expected]
    totals = [len(ids), len(set(ids)), sum(ids), min(ids), max(ids), sum(row["value"] is not None for row in expected)]
    groups: dict[str | None, list[int]] = {}
    for row in expected:
        groups.setdefault(row["value"], []).append(row["id"])
    order = sorted(groups, key=lambda value: (value is not None, value or ""))
    return [[totals], [[value, len(found := groups[value]), sum(found), min(found), max(found)] for value in order]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Lake, list[dict[str, Any]]]]:
    made = {}
    for name, commit in COMMITS.items():
        lake = lake_of(settings(tmp_path_factory.mktemp(name)), partitioning=PARTS)
        made[name] = lake, commit(lake)
    return made


def folder(lake: Lake) -> Path:
    return Path(lake.target.layout.data(lake.name().split(".")).removeprefix("file://"))


@pytest.fixture(scope="module")
def of_spark(spark: Engine, published: dict[str, tuple[Lake, Any]]) -> dict[tuple[str, str], list[list[list[Any]]]]:
    manifests = {name: lake.target.table(lake.name()).metadata_location for name, (lake, _) in published.items()}
    asked = {(name, "manifest"): name for name in published}
    asked |= {(name, "folder"): f"parquet.`file://{folder(lake)}`" for name, (lake, _) in published.items()}
    found = spark.query(manifests, [text.format(source) for source in asked.values() for text in (TOTALS, BY_FOLDER)])
    return {key: found[2 * number : 2 * number + 2] for number, key in enumerate(asked)}


@requirement("ING-07", "CON-32", "ING-08")
@pytest.mark.parametrize("reader", ["folder", "manifest"])
@pytest.mark.parametrize("name", COMMITS)
def test_spark_counts_the_same(of_spark: Any, published: Any, name: str, reader: str) -> None:
    assert of_spark[name, reader] == wanted(published[name][1])


@requirement("ING-07", "CON-32")
@pytest.mark.parametrize("name", COMMITS)
def test_duckdb_counts_the_same(published: Any, name: str) -> None:
    lake, expected = published[name]
    source = f"read_parquet('{folder(lake)}/**/*.parquet', hive_partitioning = true)"
    found = [duckdb.sql(text.format(source)).fetchall() for text in (TOTALS, BY_FOLDER)]
    assert [[list(row) for row in rows] for rows in found] == wanted(expected)


@requirement("ING-08")
@pytest.mark.parametrize("name", COMMITS)
def test_the_manifest_and_the_folders_have_the_same_partitions(published: Any, name: str) -> None:
    lake, expected = published[name]
    days = {(row["value"], row["at"].date()) for row in expected}
    partitions = lake.target.table(lake.name()).inspect.partitions().to_pylist()
    assert {tuple(each["partition"].values()) for each in partitions} == days
    assert sum(each["record_count"] for each in partitions) == len(expected)
    assert len({path.parent for path in folder(lake).rglob("*.parquet")}) == len(days)
