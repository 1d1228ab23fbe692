"""What footers settle is what DuckDB would have said; what they cannot know for certain is left to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.run import Plan, StagedFile
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.profile.light import light_profile
from dativo_provider.quality.scan import evaluate
from tests.lake.support import Lake, job
from tests.lake.support import settings as lake_settings
from tests.support import requirement

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
VALUES: dict[str, Any] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "decimal(9,2)": st.decimals(-9999999, 9999999, places=2),
    "decimal(38,6)": st.decimals(Decimal(-(10**31)), Decimal(10**31), places=6),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(timezones=st.just(dt.UTC)),
    "string": st.text(max_size=20),
    "binary": st.binary(max_size=20),
}
FIELDS = tuple(Field(f"c{at}", kind) for at, kind in enumerate(VALUES))
TOLD = {"int", "long", "decimal(9,2)", "decimal(38,6)", "date", "time", "timestamp", "timestamptz"}
LEFT = {"boolean", "string", "binary"}  # bounds that are cut, or that no aggregate is of


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(lake_settings(tmp_path_factory.mktemp("lake")), job(), FIELDS)


@pytest.fixture(scope="module")
def plan(lake: Lake) -> Plan:
    return lake.plan()


NAN, INF, ZONED = float("nan"), float("inf"), {"tzinfo": dt.UTC}


def row(**values: Any) -> dict[str, Any]:
    return {**{field.name: None for field in FIELDS}, **values}


EDGES = (
    row(
        c0=False, c1=-(2**31), c2=-(2**63), c3=-INF, c4=INF, c5=Decimal("-99999.99"), c6=Decimal(10**31),
        c7=dt.date.min, c8=dt.time.max, c9=dt.datetime.min, c10=dt.datetime.max.replace(**ZONED), c11="x" * 30,
        c12=b"y" * 30,
    ),
    row(
        c0=True, c1=2**31 - 1, c2=2**63 - 1, c3=0.1, c4=0.1, c5=Decimal("0.01"), c6=Decimal("-0.000001"),
        c7=dt.date.max, c8=dt.time.min, c9=dt.datetime.max, c10=dt.datetime.min.replace(**ZONED), c11="", c12=b"",
    ),
)  # fmt: skip


def columns() -> st.SearchStrategy[list[dict[str, list[Any]]]]:
    """Some files of some rows, NULLs among them."""
    rows = st.fixed_dictionaries({field.name: st.none() | VALUES[field.type] for field in FIELDS})
    return st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1, max_size=3)


def staged(lake: Lake, plan: Plan, files: list[Any], fields: tuple[Field, ...] = FIELDS) -> list[StagedFile]:
    found: list[StagedFile] = []
    for at, rows in enumerate(files):
        writer = lake.target.stage(plan, at, "1", "data")
        schema = pa.schema([pa.field(field.name, to_arrow(field.type)) for field in fields])
        writer.write(pa.RecordBatch.from_pylist(rows, schema))
        found += writer.close()
    return found


def scene(lake: Lake, plan: Plan, files: list[StagedFile], *, footers: bool, reads: list[Any] | None = None) -> Scene:
    rows = sum(file.rows for file in files)

    def read(names: Any) -> Iterator[pa.RecordBatch]:
        if reads is not None:
            reads.append(names)
        return lake.target.read_staged(plan, files, names)

    made = Scene(read, Books(rows, rows, produced=rows), NOW, Settings("/nowhere"), plan.fields)
    return replace(made, facts=lambda names: lake.target.facts(plan, files, names)) if footers else made


def aggregate(field: Field, function: str, **allowed: Any) -> CheckSpec:
    params = {"function": function, **({"allowed": {"unit": "rows", **allowed}} if allowed else {})}
    return CheckSpec(f"{function} {field.name}", "it", "aggregate", "dataset", (field.name,), params)


CHECKS = [
    *(aggregate(field, "null_count", op="mustBeLessThan", value=2) for field in FIELDS),
    *(aggregate(field, "null_share", op="mustBeLessOrEqualTo", value=0.5) for field in FIELDS),
    *(aggregate(field, end) for field in FIELDS if field.type not in LEFT for end in ("min", "max")),
    *(
        CheckSpec(f"age {field.name}", "it", "freshness", "dataset", (field.name,), {"max_age_seconds": 1e9})
        for field in FIELDS
        if field.type in ("date", "timestamp", "timestamptz")
    ),
    *(
        CheckSpec(f"usual_{metric} {field.name}", "it", "anomaly", "dataset", (), {"metric": f"{metric}({field.name})"})
        for field in FIELDS
        for metric in (("null_share", "min", "max") if field.type in ("int", "long", "double") else ("null_share",))
    ),
]


def said(result: CheckResult) -> tuple[Any, ...]:
    value = "nan" if result.value != result.value else result.value
    return result.check_id, result.outcome, value, result.failed, result.evaluated


@requirement("DQ-05", "DQ-09")
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(files=columns())
@example(files=[[row(c3=NAN, c4=NAN)], [row(c3=-0.0, c4=-0.0)]])
@example(files=[[row(c3=NAN, c4=1.0)], [row(c4=NAN), row(c3=1.0)]])
@example(files=[[EDGES[0]], [EDGES[1], row()]])
def test_footers_say_what_a_scan_says(lake: Lake, plan: Plan, files: list[Any]) -> None:
    found = staged(lake, plan, files)
    by_footers = evaluate(CHECKS, scene(lake, plan, found, footers=True))
    by_scan = evaluate(CHECKS, scene(lake, plan, found, footers=False))
    assert [said(result) for result in by_footers] == [said(result) for result in by_scan]
    assert {result.evaluated_by for result in by_scan} <= {"scan", "none"}
    types = {field.name: field.type for field in FIELDS}
    for result in by_footers:
        word, _, column = result.check_id.partition(" ")
        if types[column] in TOLD and result.evaluated_by != "none" and word in ("min", "max", "null_count", "age"):
            assert result.evaluated_by == "stats", result


def test_what_footers_settle_reads_no_file_and_the_rest_is_one_select(lake: Lake, plan: Plan) -> None:
    found = staged(lake, plan, [[{"c1": 1, "c2": 5, "c4": 1.0}, {"c1": 2, "c2": None, "c4": float("nan")}]])
    settled = [aggregate(FIELDS[1], "max", op="mustBe", value=2), aggregate(FIELDS[2], "null_count")]
    reads: list[Any] = []
    results = evaluate(settled, scene(lake, plan, found, footers=True, reads=reads))
    assert [(result.outcome, result.value, result.evaluated_by) for result in results] == [
        ("passed", 2, "stats"), ("failed", 1, "stats"),
    ]  # fmt: skip
    assert reads == []
    more = [
        *settled,
        replace(settled[0], id="where", where="c2 = 5"),
        aggregate(FIELDS[4], "max"),
        aggregate(FIELDS[1], "avg"),
    ]
    by = [result.evaluated_by for result in evaluate(more, scene(lake, plan, found, footers=True, reads=reads))]
    assert by == ["stats", "stats", "scan", "scan", "scan"]
    assert reads == [["c1", "c2", "c4"]]


@requirement("DQ-12")
def test_a_profile_of_footers_reads_no_file(lake: Lake, plan: Plan) -> None:
    found = staged(lake, plan, [[{"c1": 1, "c7": dt.date(2026, 1, 1), "c11": "some text"}, {"c1": None, "c4": -0.0}]])
    reads: list[Any] = []
    made = light_profile(scene(lake, plan, found, footers=True, reads=reads))
    assert (made.by, made.rows, reads) == ("footers", 2, [])
    assert {name: (it.nulls, it.null_share, it.min, it.max) for it in made.columns if (name := it.name) in _SHOWN} == {
        "c1": (1, 0.5, 1, 1), "c4": (1, 0.5, 0.0, None), "c7": (1, 0.5, "2026-01-01", "2026-01-01"),
        "c9": (2, 1.0, None, None), "c11": (1, 0.5, None, None),
    }  # fmt: skip


_SHOWN = ("c1", "c4", "c7", "c9", "c11")


def test_a_column_renamed_since_is_known_by_the_name_its_files_have(lake: Lake, plan: Plan) -> None:
    other = Lake(lake.settings, job(), FIELDS)
    found = staged(other, plan, [[{"c1": 7}]])
    with other.target.table(plan.table).update_schema() as change:
        change.rename_column("c1", "was_c1")
        change.rename_column("c2", "c1")
    fresh = Lake(lake.settings, job(), FIELDS)
    try:
        assert fresh.target.facts(plan, found, ["c1", "was_c1"]) == {
            "c1": {"nulls": 0, "min": 7, "max": 7},
            "was_c1": {},
        }
    finally:
        with fresh.target.table(plan.table).update_schema() as change:
            change.rename_column("c1", "c2")
            change.rename_column("was_c1", "c1")


def test_personal_columns_and_files_of_another_table_are_not_told_of(tmp_path: Path) -> None:
    fields = (Field("id", "long", required=True), Field("salary", "long", classification="pii"))
    one = Lake(lake_settings(tmp_path), job(), fields)
    plan = one.plan()
    found = staged(one, plan, [[{"id": 1, "salary": 5}]], fields)
    assert one.target.facts(plan, found, ["id", "salary"]) == {"id": {"nulls": 0, "min": 1, "max": 1}, "salary": {}}
    strange = [replace(file, stats={**file.stats, "table": "another"}) for file in found]
    assert one.target.facts(plan, strange, ["id"]) == {}
    assert one.target.facts(plan, [], ["id"]) == {}
