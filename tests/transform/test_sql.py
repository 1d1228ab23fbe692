"""SQL transformations: in order, one row in and one row out, and never anything but the row's columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from dativo_provider.config.expressions import column_named
from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.stream import Field
from dativo_provider.transform.sql import RowTransforms, is_windowed, plan_columns, run_windowed
from tests.support import requirement

FIELDS = (
    Field("unblended_cost", "decimal(18,6)"),
    Field("date", "date"),
    Field("tags", "map<string,string>"),
    Field("labels"),
    Field("n", "long"),
)


def made(name: str, expression: str, column: str = "", type: str = "") -> TransformSpec:
    return TransformSpec(name, column or column_named(name), expression, type, declared_in="job.yaml:7:5")


SN_02 = (
    made("extract_team_from_tags", "COALESCE(tags['Team'], 'unallocated')"),
    made("extract_product_from_tags", "COALESCE(tags['Product'], 'unknown')"),
    made("calculate_daily_cost", "SUM(unblended_cost) OVER (PARTITION BY date, team)"),
)
DAY = dt.date(2024, 1, 1)


def batch(rows: int = 3) -> pa.RecordBatch:
    cycle = [[("Team", "red")], [("Team", None), ("Product", "x")], None]
    return pa.record_batch(
        {
            "unblended_cost": pa.array([Decimal(i) for i in range(rows)], pa.decimal128(18, 6)),
            "date": pa.array([DAY] * rows, pa.date32()),
            "tags": pa.array([cycle[i % 3] for i in range(rows)], pa.map_(pa.string(), pa.string())),
            "labels": pa.array(['{"Team": "a/b", "x": {"y~\'z": 1}}', "{}", "no json"] * (rows // 3)),
            "n": pa.array([i - 1 for i in range(rows)], pa.int64()),
        }
    )


@requirement("SN-02", "ING-18")
def test_the_billing_jobs_transformations_plan_and_run_as_written(tmp_path: Path) -> None:
    assert [is_windowed(t.expression) for t in SN_02] == [False, False, True]
    fields = plan_columns(SN_02, FIELDS)
    assert [(f.name, f.type) for f in fields[5:]] == [
        ("team", "string"),
        ("product", "string"),
        ("daily_cost", "decimal(38,6)"),
    ]
    first = RowTransforms(SN_02[:2], FIELDS).apply(batch(6))
    assert first.data.column("team").to_pylist() == ["red", "unallocated", "unallocated"] * 2
    assert not first.failures
    out = pa.Table.from_batches(run_windowed(SN_02[2:], iter([first.data]), 128, str(tmp_path)))
    assert out.column("daily_cost").to_pylist() == [Decimal(3), Decimal(12), Decimal(12)] * 2
    assert out.schema.names == [f.name for f in fields]


@requirement("SN-02")
@pytest.mark.parametrize("kind", ["map<string,string>", "struct<Team:string,other:long>", "string"])
def test_a_member_is_reached_alike_in_maps_structs_and_json_text(kind: str) -> None:
    values = {
        "map<string,string>": pa.array([[("Team", "a")], [("other", "1")]], pa.map_(pa.string(), pa.string())),
        "struct<Team:string,other:long>": pa.array(
            [{"Team": "a"}, {"other": 1}], pa.struct({"Team": pa.string(), "other": pa.int64()})
        ),
        "string": pa.array(['{"Team": "a"}', '{"other": 1}']),
    }[kind]
    transforms = RowTransforms([made("team", "upper(Tags['Team'])")], [Field("tags", kind)])
    assert transforms.apply(pa.record_batch({"tags": values})).data.column("team").to_pylist() == ["A", None]


def test_json_members_may_be_nested_and_carry_any_character() -> None:
    transforms = RowTransforms([made("deep", "\"labels\"['x']['y~''z'] || ' ü ' || labels['Team']")], FIELDS)
    applied = transforms.apply(batch())
    assert applied.data.column("deep").to_pylist() == ["1 ü a/b", None, None]
    assert applied.failures["deep"].to_pylist() == [False, False, True]  # no JSON at all


def test_later_expressions_see_what_earlier_ones_made_and_may_replace_it_in_place() -> None:
    steps = [made("n", "n * 10"), made("m", "n + 1"), made("m", "m || '!'", type="string")]
    with pytest.raises(ConfigurationError, match="makes 'm' a string, which is long elsewhere"):
        plan_columns(steps, FIELDS)
    steps[2] = made("m", "m * 2")
    data = RowTransforms(steps, FIELDS).apply(batch()).data
    assert data.schema.names == [*(f.name for f in FIELDS), "m"]
    assert data.column("n").to_pylist() == [-10, 0, 10]
    assert data.column("m").to_pylist() == [-18, 2, 22]


@requirement("ING-18")
def test_an_expression_that_fails_on_a_row_makes_that_value_null_and_says_so() -> None:
    steps = [made("double", "n + 9223372036854775807"), made("year", "CAST(labels AS INTEGER)"), made("same", "n")]
    applied = RowTransforms(steps, FIELDS).apply(batch())
    assert applied.data.column("double").to_pylist() == [2**63 - 2, 2**63 - 1, None]
    assert applied.failures["double"].to_pylist() == [False, False, True]
    assert applied.failures["year"].to_pylist() == [True, True, True]
    assert applied.data.column("same").to_pylist() == [-1, 0, 1]
    assert set(applied.failures) == {"double", "year"}


def test_null_as_an_answer_is_no_failure() -> None:
    applied = RowTransforms(
        [made("x", "CASE WHEN n = 0 THEN NULL ELSE CAST(1 AS BIGINT) // (n - 1) END")], FIELDS
    ).apply(batch())
    assert applied.data.column("x").to_pylist()[1] is None
    assert "x" not in applied.failures or applied.failures["x"].to_pylist()[1] is False


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("decimal(10,2)", pa.decimal128(10, 2)),
        ("timestamptz", pa.timestamp("us", tz="UTC")),
        ("list<struct<a:long,b:map<string,double>>>", None),
        ("uuid", pa.string()),
        ("time", pa.time64("us")),
    ],
)
def test_a_declared_type_is_what_comes_out(type: str, kind: pa.DataType | None) -> None:
    transforms = RowTransforms([made("x", "NULL", type=type)], FIELDS)
    assert transforms.fields[-1] == Field("x", type, description="transformation x")
    column = transforms.apply(batch()).data.column("x")
    assert column.null_count == 3
    assert kind is None or column.type == kind


def test_a_contracts_type_decides_for_a_column_it_declares() -> None:
    declared = [*FIELDS, Field("share", "decimal(6,2)", required=True, description="of the total")]
    steps = [made("share", "n / 3.0")]
    assert plan_columns(steps, declared)[-1] == declared[-1]
    data = RowTransforms(steps, declared).apply(batch().append_column("share", pa.nulls(3, pa.decimal128(6, 2)))).data
    assert data.column("share").to_pylist() == [Decimal("-0.33"), Decimal("0.00"), Decimal("0.33")]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("nn + 1", "no column 'nn'"),
        ("SUM(n)", "sum(…) OVER (…)"),
        ("n + DATE '2024-01-01' + true", "Binder Error"),
        ("nosuchfunction(n)", "nosuchfunction"),
        ("(SELECT max(n) FROM rows)", "sub-query"),
        ("n IN (SELECT 1)", "sub-query"),
        ("EXISTS (SELECT * FROM read_text('/etc/passwd'))", "sub-query"),
        ("*", "star"),
        ("COLUMNS('n')", "star"),
        ("?", "parameter"),
        ("n; DROP TABLE rows", "no SQL expression"),
        ("n) FROM read_text('/etc/passwd') --", "no SQL expression"),
        ("n) , (n", "more of a query"),
        ("n) LIMIT (1", "more of a query"),
        ("n) UNION SELECT (n", "more of a query"),
        ("n /* open", "no SQL expression"),
        ("n +", "it ends too early"),
        ("", "empty"),
        ("read_text('/etc/passwd')", "read_text"),
        ("getenv('HOME')", "getenv"),
        ("INTERVAL 1 DAY", "add a CAST"),
    ],
)
@requirement("ING-18")
def test_anything_but_one_expression_over_the_row_is_refused_where_it_stands(expression: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        plan_columns([made("t", expression)], FIELDS)
    assert words in str(refused.value)
    assert refused.value.where == "job.yaml:7:5"


def test_a_misspelt_column_gets_a_hint_and_a_wrong_type_word_too() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'unblended_cost'"):
        plan_columns([made("t", "unblended_csot * 2")], FIELDS)
    with pytest.raises(ConfigurationError, match="unknown type 'money'"):
        plan_columns([made("t", "n", type="money")], FIELDS)


@pytest.mark.parametrize(
    ("expression", "windowed"),
    [
        ("upper(labels)", False),
        ("row_number() OVER (ORDER BY n)", True),
        ("n - lag(n) OVER (PARTITION BY date ORDER BY n)", True),
        ("CASE WHEN n > 0 THEN avg(n) OVER () END", True),
        ("count(*)", True),
        ("'sum(x) over ()'", False),
        ("list_sum([n, 2])", False),
        ("not sql at all (", False),
    ],
)
@requirement("ING-18")
def test_windows_and_aggregates_are_told_from_row_wise_expressions(expression: str, windowed: bool) -> None:
    assert is_windowed(expression) is windowed


def test_a_windowed_expression_cannot_run_row_by_row() -> None:
    with pytest.raises(ConfigurationError, match="looks at other rows"):
        RowTransforms([made("t", "sum(n) OVER ()")], FIELDS)


def _batches(count: int, rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, count * rows, rows):
        numbers = list(range(start, start + rows))
        yield pa.record_batch({"id": numbers, "half": [n % 2 for n in numbers], "pad": [f"{n:050}" for n in numbers]})


@requirement("ING-18")
def test_a_whole_run_keeps_rows_order_and_types_beyond_its_memory(tmp_path: Path) -> None:
    steps = [
        made("running", "SUM(id) OVER (PARTITION BY half ORDER BY id)", type="long"),
        made("twice", "running * 2"),
        made("id", "id + 1"),
    ]
    out = list(run_windowed(steps, _batches(60, 20_000), 100, str(tmp_path)))
    ids = [value for part in out for value in part.column("id").to_pylist()]
    assert ids == list(range(1, 1_200_001))
    assert out[0].schema.names == ["id", "half", "pad", "running", "twice"]
    assert out[-1].column("running")[-1].as_py() == sum(range(1, 1_200_000, 2))
    assert out[0].schema.field("running").type == pa.int64()


def test_a_table_fields_type_is_taken_over_in_the_whole_run(tmp_path: Path) -> None:
    out = run_windowed([made("s", "SUM(id) OVER ()")], _batches(1, 3), 64, str(tmp_path), [Field("s", "long")])
    assert next(out).column("s").type == pa.int64()


def test_no_rows_make_no_rows(tmp_path: Path) -> None:
    assert list(run_windowed(SN_02[2:], iter([]), 64, str(tmp_path))) == []


def test_a_failing_expression_stops_the_whole_run_without_quoting_the_value(tmp_path: Path) -> None:
    step = made("t", "SUM(CAST(pad || 'x' AS INTEGER)) OVER ()")
    with pytest.raises(DataError) as failed:
        list(run_windowed([step], _batches(1, 3), 64, str(tmp_path)))
    assert "'t' failed" in str(failed.value)
    assert "0000x" not in str(failed.value)
    assert "TRY(" in failed.value.remedy


def test_a_value_the_table_cannot_hold_stops_the_whole_run(tmp_path: Path) -> None:
    step = made("t", "make_timestamp_ns(id + row_number() OVER ())")
    with pytest.raises(DataError, match="do not fit into timestamp"):
        list(run_windowed([step], _batches(1, 3), 64, str(tmp_path)))


def test_no_transformations_need_no_database() -> None:
    assert plan_columns((), FIELDS) == FIELDS
