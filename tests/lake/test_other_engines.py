"""What we publish, read by Spark with the Iceberg runtime: same counts, same sums, same values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from tests.lake.support import Lake, job, settings
from tests.lake.test_writer import EVERY_TYPE, VALUES
from tests.services.spark import Spark
from tests.support import requirement

pytestmark = pytest.mark.slow

START = datetime(1969, 12, 30, 22, 30, tzinfo=UTC)
ROWS = [
    {"id": n, "value": f"name-{n % 7}", "at": START + timedelta(hours=5 * n), "amount": n * 3 - 100} for n in range(400)
]
FIELDS = (
    Field("id", "long", required=True),
    Field("value", "string"),
    Field("at", "timestamptz"),
    Field("amount", "decimal(12,2)"),
)
PARTITIONS = {
    "by_bucket": PartitionSpec("id", "bucket[8]"),
    "by_text_bucket": PartitionSpec("value", "bucket[8]"),
    "by_month": PartitionSpec("at", "month"),
    "by_day": PartitionSpec("at", "day"),
    "by_value": PartitionSpec("value"),
    "by_truncate": PartitionSpec("amount", "truncate[1000]"),
}
ALL = "select count(*), sum(id), sum(amount), min(at), max(at) from {}"
PICKED = "select count(*), sum(id) from {} where id = 137 and value = 'name-4' and at = timestamp '{}' and amount = 311"


def published(home: Path, name: str, fields: tuple[Field, ...], rows: list[dict[str, Any]], **target: Any) -> Lake:
    lake = Lake(settings(home), job(name=name, table=name, **target), fields)
    lake.run(rows, bad=[1, 2])
    return lake


READABLE = {
    field: value for field, value in zip(EVERY_TYPE, VALUES, strict=True) if field.type != "time"
}  # Spark 4.0 knows no time of day


def every_type(home: Path) -> Lake:
    lake = Lake(settings(home), job(table="every_type", key=()), tuple(READABLE))
    plan = lake.plan()
    schema = pa.schema([(field.name, to_arrow(field.type)) for field in READABLE])
    full = {field.name: value for field, value in READABLE.items()}
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(pa.RecordBatch.from_pylist([full], schema=schema))
    lake.publish(plan, [replace(lake.extract(plan, []), files=writer.close())])
    return lake


def evolved(home: Path) -> Lake:
    published(home, "evolved", (Field("n", "int"), Field("f", "float")), [{"n": 3, "f": 1.5}], key=())
    return published(
        home,
        "evolved",
        (Field("n", "long"), Field("f", "double"), Field("x")),
        [{"n": 2**40, "f": 2.5, "x": "x"}],
        key=(),
    )


def renamed(home: Path) -> Lake:
    """Renamed, widened, relaxed and reordered between two runs; read by id."""
    published(
        home,
        "renamed",
        (Field("a", "int", required=True), Field("s", "struct<x:int>")),
        [{"a": 3, "s": {"x": 1}}],
        key=(),
    )
    after = (
        Field("s", "struct<y:long,z:string>", parts_renamed_from=(("y", "x"),)),
        Field("b", "long", renamed_from=("a",)),
    )
    return published(home, "renamed", after, [{"b": 2**40, "s": {"y": 2**41, "z": "z"}}], key=())


def replaced(home: Path) -> Lake:
    published(home, "replaced", FIELDS, ROWS)
    return published(home, "replaced", FIELDS, ROWS[:10], mode="replace")


MODES: dict[str, dict[str, Any]] = {
    "merge": {"mode": "merge", "partitioning": (PartitionSpec("id", "bucket[8]"),)},
    "delete_insert": {"mode": "delete_insert", "partitioning": (PartitionSpec("at", "month"),)},
    "scd2": {"mode": "scd2", "order_by": "at", "partitioning": (PartitionSpec("is_current"),)},
}
AGREED = "select count(*), count(distinct id), sum(id), sum(amount), min(at), max(at) from {}"


def rewritten(home: Path, name: str) -> Lake:
    """Rows written anew and added in each mode, by a second run over a part of the first one's keys."""
    published(home, name, FIELDS, ROWS, **MODES[name])
    news = [{**row, "at": row["at"] + timedelta(hours=1), "amount": 7} for row in ROWS[::5]]
    return published(home, name, FIELDS, news, **MODES[name])


@pytest.fixture(scope="module")
def answers(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    """One Spark session for all questions."""
    home = tmp_path_factory.mktemp("spark")
    lakes = {name: published(home, name, FIELDS, ROWS, partitioning=(spec,)) for name, spec in PARTITIONS.items()}
    lakes |= {"plain": published(home, "plain", FIELDS, ROWS, file_size_mb=1), "every_type": every_type(home)}
    lakes |= {"evolved": evolved(home), "replaced": replaced(home), "renamed": renamed(home)}
    lakes |= {name: rewritten(home, name) for name in MODES}
    tables = {name: lake.target.table(lake.name()).metadata_location for name, lake in lakes.items()}
    quarantine = lakes["plain"].target.table(lakes["plain"].name(quarantine=True))
    tables["aside"] = quarantine.metadata_location
    moment = (START + timedelta(hours=5 * 137)).strftime("%Y-%m-%d %H:%M:%S")
    questions = {
        **{f"all {name}": ALL.format(name) for name in (*PARTITIONS, "plain")},
        **{f"one {name}": PICKED.format(name, moment) for name in (*PARTITIONS, "plain")},
        "every type": "select * from every_type",
        "evolved": "select n, f, x from evolved where n >= 3 and f > 1.0 order by n",
        "renamed": "select b, s.y, s.z from renamed where b >= 3 order by b",
        "replaced": "select count(*), sum(id) from replaced",
        **{f"mode {name}": AGREED.format(name) for name in MODES},
        "current": "select count(*), sum(id), sum(amount) from scd2 where is_current and valid_to is null",
        "aside": "select row_id, reasons, raw from aside order by row_id",
    }
    found = spark.query(tables, list(questions.values()))
    read = {f"read {name}": [ours(lakes[name])] for name in MODES}
    return {**dict(zip(questions, found, strict=True)), **read}


def ours(lake: Lake) -> list[Any]:
    """What PyIceberg reads, as the same question answers it."""
    rows = lake.target.table(lake.name()).scan().to_arrow()
    edges = pc.min_max(rows["at"]).as_py()
    shown = [edges[name].strftime("%Y-%m-%dT%H:%M:%S") for name in ("min", "max")]
    totals = [pc.sum(rows["id"]).as_py(), f"{pc.sum(rows['amount']).as_py()}"]
    return [rows.num_rows, pc.count_distinct(rows["id"]).as_py(), *totals, *shown]


@requirement("ING-08")
@pytest.mark.parametrize("name", [*PARTITIONS, "plain"])
def test_spark_counts_and_sums_the_same(answers: dict[str, list[list[Any]]], name: str) -> None:
    [[count, total, amount, low, high]] = answers[f"all {name}"]
    assert (count, total) == (400, sum(range(400)))
    assert amount == f"{sum(row['amount'] for row in ROWS)}.00"
    assert (low, high) == ("1969-12-30T22:30:00", "1970-03-24T01:30:00")


@pytest.mark.parametrize("name", [*PARTITIONS, "plain"])
def test_spark_finds_a_row_where_it_looks_for_it(answers: dict[str, list[list[Any]]], name: str) -> None:
    """It computes the partition of the wanted value itself: one hash apart and the row would be pruned away."""
    assert answers[f"one {name}"] == [[1, 137]]


def test_spark_reads_every_type(answers: dict[str, list[list[Any]]]) -> None:
    [row] = answers["every type"]
    kinds = [field.type.partition("(")[0].partition("<")[0] for field in READABLE]
    found = dict(zip(kinds, row, strict=True))
    assert found["long"] == 2**63 - 1
    assert found["decimal"] == "-9999999999999999999999999999.9999999999"
    assert found["date"] == "1969-12-31"
    assert found["timestamp"] == "1969-12-31T23:59:59.999999"
    assert found["timestamptz"] == "2026-07-01T12:00:00.000001"
    assert found["string"] == "naïve 漢字 '\"\n"
    assert found["uuid"] == "0b7e1c1e-6d3a-4a58-9d4c-3b6f0c0a7d11"
    assert found["binary"] == "00ff"
    assert found["list"] == [1, None, -3]
    assert found["map"] == {"k": 1.0, "l": None}
    assert found["struct"] == [1, [None, ["1.5"]]]


def test_spark_reads_widened_columns(answers: dict[str, list[list[Any]]]) -> None:
    assert answers["evolved"] == [[3, 1.5, None], [2**40, 2.5, "x"]]


@requirement("ING-20")
def test_spark_reads_renamed_columns_and_parts(answers: dict[str, list[list[Any]]]) -> None:
    assert answers["renamed"] == [[3, 1, None], [2**40, 2**41, "z"]]


def test_spark_sees_a_replace(answers: dict[str, list[list[Any]]]) -> None:
    assert answers["replaced"] == [[10, 45]]


@requirement("ING-08")
@pytest.mark.parametrize("name", MODES)
def test_spark_and_pyiceberg_agree_on_what_a_mode_has_written_anew(
    answers: dict[str, list[list[Any]]], name: str
) -> None:
    assert answers[f"mode {name}"] == answers[f"read {name}"]


def test_spark_sees_one_current_version_of_each_key(answers: dict[str, list[list[Any]]]) -> None:
    amount = sum(7 if row["id"] % 5 == 0 else row["amount"] for row in ROWS)
    assert answers["current"] == [[400, sum(range(400)), f"{amount}.00"]]


def test_spark_reads_the_quarantine(answers: dict[str, list[list[Any]]]) -> None:
    assert answers["aside"] == [["r1", ["id.range"], '{"id": 1}'], ["r2", ["id.range"], '{"id": 2}']]
