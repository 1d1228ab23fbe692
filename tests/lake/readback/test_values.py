"""Every partition transform, every type, renamed columns and the quarantine, as other engines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from tests.lake.readback.engines import EARLY, QUESTIONS, ours, partitions, partitions_of, theirs
from tests.lake.readback.tables import FIELDS, ROWS, as_arrow
from tests.lake.support import Lake, job, settings
from tests.lake.test_writer import EVERY_TYPE, VALUES
from tests.services.engine import Engine
from tests.support import requirement

pytestmark = pytest.mark.slow

TRANSFORMS = {
    "plain": (),
    "by_bucket": (PartitionSpec("id", "bucket[8]"),),
    "by_text_bucket": (PartitionSpec("value", "bucket[8]"),),
    "by_month": (PartitionSpec("moment", "month"),),
    "by_day": (PartitionSpec("moment", "day"),),
    "by_hour": (PartitionSpec("moment", "hour"),),
    "by_value": (PartitionSpec("value"),),
    "by_truncate": (PartitionSpec("amount", "truncate[1000]"),),
    "by_two": (PartitionSpec("moment", "month"), PartitionSpec("id", "bucket[4]")),
}
READABLE = {
    field: value for field, value in zip(EVERY_TYPE, VALUES, strict=True) if field.type != "time"
}  # Spark 4.0 knows no time of day
ENGINES = ("spark", "duck")
Said = Mapping[tuple[str, str], list[list[Any]]]
OTHERS = {
    "every_type": "select * from {}",
    "renamed": "select b, s.y, s.z from {} where b >= 3 order by b",
    "aside": "select row_id, reasons, raw from {} order by row_id",
}


def published(home: Path, name: str, fields: tuple[Field, ...], rows: list[dict[str, Any]], **target: Any) -> Lake:
    lake = Lake(settings(home), job(name=name, table=name, **target), fields)
    lake.run(rows, bad=[1, 2])
    return lake


def every_type(home: Path) -> Lake:
    lake = Lake(settings(home), job(table="every_type", key=()), tuple(READABLE))
    plan = lake.plan()
    schema = pa.schema([(field.name, to_arrow(field.type)) for field in READABLE])
    full = {field.name: value for field, value in READABLE.items()}
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(pa.RecordBatch.from_pylist([full], schema=schema))
    lake.publish(plan, [replace(lake.extract(plan, []), files=writer.close())])
    return lake


def renamed(home: Path) -> Lake:
    """Renamed, widened, relaxed and reordered between two runs; read by id."""
    before = (Field("a", "int", required=True), Field("s", "struct<x:int>"))
    published(home, "renamed", before, [{"a": 3, "s": {"x": 1}}], key=())
    after = (
        Field("s", "struct<y:long,z:string>", parts_renamed_from=(("y", "x"),)),
        Field("b", "long", renamed_from=("a",)),
    )
    return published(home, "renamed", after, [{"b": 2**40, "s": {"y": 2**41, "z": "z"}}], key=())


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("readback")
    lakes = {name: published(home, name, FIELDS, ROWS, partitioning=specs) for name, specs in TRANSFORMS.items()}
    lakes |= {"every_type": every_type(home), "renamed": renamed(home)}
    found = {name: lake.target.table(lake.name()) for name, lake in lakes.items()}
    return found | {"aside": lakes["plain"].target.table(lakes["plain"].name(quarantine=True))}


@pytest.fixture(scope="module", params=ENGINES)
def said(request: pytest.FixtureRequest, tables: dict[str, Any]) -> Said:
    """By one engine, of every table."""
    engine: Engine = request.getfixturevalue(request.param)
    asked: dict[str, dict[str, str]] = dict.fromkeys(TRANSFORMS, QUESTIONS | EARLY)
    asked |= {name: {"": text} for name, text in OTHERS.items()}
    return theirs(engine, {name: table.metadata_location for name, table in tables.items()}, asked)


@requirement("ING-08")
@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_engine_finds_rows_where_it_looks_for_them(said: Said, name: str) -> None:
    """It computes the partition of a wanted value itself: one hash apart and the row would be pruned away."""
    assert {key: said[name, key] for key in QUESTIONS} == ours(as_arrow(ROWS, FIELDS), QUESTIONS)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_rows_before_1970_are_found(said: Said, name: str, request: pytest.FixtureRequest) -> None:
    """DuckDB 1.5.5 rounds a wanted day or month toward zero and then prunes the partition that has it."""
    blind = request.node.callspec.params["said"] == "duck" and name in ("by_day", "by_month", "by_two")
    assert said[name, "before 1970"] == ([[0, None]] if blind else [[1, 0]])


def test_an_engine_reads_every_type(said: Said) -> None:
    [row] = said["every_type", ""]
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
    assert found["struct"] in ([1, [None, ["1.5"]]], {"a": 1, "b": {"c": None, "d": ["1.5"]}})


@requirement("ING-20")
def test_an_engine_reads_renamed_columns_and_parts(said: Said) -> None:
    assert said["renamed", ""] == [[3, 1, None], [2**40, 2**41, "z"]]


def test_an_engine_reads_the_quarantine(said: Said) -> None:
    assert said["aside", ""] == [["r1", ["id.range"], '{"id": 1}'], ["r2", ["id.range"], '{"id": 2}']]


@requirement("ING-08")
def test_spark_knows_the_partitions_that_pyiceberg_knows(spark: Engine, tables: dict[str, Any]) -> None:
    names = [name for name, specs in TRANSFORMS.items() if specs]
    places = {f"{name}_parts": f"{tables[name].metadata_location}#partitions" for name in names}
    found = spark.query(places, [f"select partition, record_count, file_count from {view}" for view in places])
    mine = {name: [_dated(row) for row in partitions_of(tables[name])] for name in names}
    assert {name: partitions(rows) for name, rows in zip(names, found, strict=True)} == mine


def _dated(row: list[Any]) -> list[Any]:
    return [[_day(value) for value in row[0]], *row[1:]]


def _day(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
