"""Spark reads compacted, merged and expired tables: same rows, and files where it looks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.lake.maintain import JOBS
from dativo_provider.model.job import PartitionSpec
from tests.lake.maintain.support import age, maintain
from tests.lake.support import Lake, settings
from tests.lake.test_other_engines import ALL, FIELDS, PARTITIONS, PICKED, ROWS, published
from tests.services.spark import Spark
from tests.support import requirement

pytestmark = pytest.mark.slow

SHAPES: dict[str, tuple[PartitionSpec, ...]] = {
    "plain": (),
    "by_bucket": (PARTITIONS["by_bucket"],),
    "by_month": (PARTITIONS["by_month"],),
    "by_truncate": (PARTITIONS["by_truncate"],),
}


def cared_for(home: Path, name: str, partitioning: tuple[PartitionSpec, ...]) -> Lake:
    """Published in eight runs, then everything maintenance has."""
    for start in range(0, len(ROWS), 50):
        lake = published(home, name, FIELDS, ROWS[start : start + 50], partitioning=partitioning)
    age(home)
    for each in JOBS:
        maintain(lake, each, later=2)
    return Lake(settings(home), lake.job, FIELDS)


@pytest.fixture(scope="module")
def answers(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    home = tmp_path_factory.mktemp("spark")
    lakes = {name: cared_for(home / name, name, shape) for name, shape in SHAPES.items()}
    tables = {name: lake.target.table(lake.name()).metadata_location for name, lake in lakes.items()}
    questions = {f"all {name}": ALL.format(name) for name in SHAPES}
    questions |= {f"one {name}": PICKED.format(name, _moment()) for name in SHAPES}
    found = spark.query(tables, list(questions.values()))
    return dict(zip(questions, found, strict=True))


def _moment() -> str:
    return next(row for row in ROWS if row["id"] == 137)["at"].strftime("%Y-%m-%d %H:%M:%S")


@requirement("TAG-08", "ING-08")
@pytest.mark.parametrize("name", SHAPES)
def test_spark_counts_and_sums_the_same_after_maintenance(answers: dict[str, list[list[Any]]], name: str) -> None:
    [[count, total, amount, low, high]] = answers[f"all {name}"]
    assert (count, total) == (400, sum(range(400)))
    assert amount == f"{sum(row['amount'] for row in ROWS)}.00"
    assert (low, high) == ("1969-12-30T22:30:00", "1970-03-24T01:30:00")


@pytest.mark.parametrize("name", SHAPES)
def test_spark_finds_a_row_where_it_looks_for_it_after_maintenance(
    answers: dict[str, list[list[Any]]], name: str
) -> None:
    assert answers[f"one {name}"] == [[1, 137]]
