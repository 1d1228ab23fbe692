"""Each kind of dataset check, against a count by hand, at its edges and on hostile input."""

from __future__ import annotations

import datetime as dt
import math
import statistics
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.errors import ConfigurationError, StorageUnavailable
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.stream import Field
from dativo_provider.model.target import PublishedRows, TableVersion
from dativo_provider.quality.scan import evaluate
from dativo_provider.sql import limit
from tests.quality.staged import Staged, compiled, results, scene_of
from tests.quality.support import a_check
from tests.support import requirement

AMOUNTS = [1.0, 2.0, 2.0, 4.0, None, 11.0]


def judged(body: dict[str, Any], staged: Staged, **given: Any) -> CheckResult:
    (check,) = compiled(body)
    (result,) = results([check], staged, **given)
    return result


def aggregate(function: str, staged: Staged, column: str = "amount", **body: Any) -> CheckResult:
    bounds = {} if {"min", "max", "values"} & set(body) else {"min": -1e9, "max": 1e9}
    return judged({"type": "aggregate", "function": function, "column": column, **bounds, **body}, staged)


@requirement("DQ-05", "DQ-06")
@pytest.mark.parametrize(
    ("function", "body", "value"),
    [
        ("avg", {}, 4.0),
        ("sum", {}, 20.0),
        ("min", {}, 1.0),
        ("max", {}, 11.0),
        ("median", {}, 2.0),
        ("quantile", {"argument": 0.75}, 4.0),
        ("stddev", {}, statistics.stdev([1, 2, 2, 4, 11])),
        ("stddev_pop", {}, statistics.pstdev([1, 2, 2, 4, 11])),
        ("variance", {}, statistics.variance([1, 2, 2, 4, 11])),
        ("var_pop", {}, statistics.pvariance([1, 2, 2, 4, 11])),
        ("null_count", {}, 1),
        ("null_share", {}, 1 / 6),
        ("distinct_count", {}, 4),
        ("distinct_share", {}, 4 / 5),
        ("unique_count", {}, 3),
        ("unique_share", {}, 3 / 5),
        ("duplicate_count", {}, 1),
        ("duplicate_share", {}, 1 / 5),
        ("most_common", {"values": [2.0, 3]}, 2.0),
        ("contains", {"values": [4, 11]}, 0),
    ],
)
def test_aggregates_equal_a_count_by_hand(function: str, body: dict[str, Any], value: float) -> None:
    result = aggregate(function, Staged(amount=AMOUNTS), **body)
    assert (result.outcome, result.evaluated_by) == ("passed", "scan")
    assert result.value == pytest.approx(value)


@requirement("DQ-06")
def test_lengths_are_in_characters() -> None:
    staged = Staged(of=["ä", "bcd", None])
    values = [aggregate(f"{which}_length", staged, "of").value for which in ("min", "max", "avg")]
    assert values == [1, 3, 2.0]


@requirement("DQ-06")
def test_bounds_of_aggregates_decide_and_moments_have_bounds_too() -> None:
    staged = Staged(amount=AMOUNTS, day=[dt.date(2024, 1, day) for day in range(1, 7)])
    assert aggregate("avg", staged, min=4.1).outcome == "failed"
    assert aggregate("avg", staged, min=4, max=4).outcome == "passed"
    assert aggregate("null_count", staged, max=16, unit="percent").outcome == "failed"
    assert aggregate("null_count", staged, max=17, unit="percent").outcome == "passed"
    assert aggregate("null_share", staged, max=17, unit="percent").outcome == "passed"
    assert aggregate("max", staged, "day", max="2024-01-05").outcome == "failed"
    assert aggregate("max", staged, "day", min="2024-01-06").outcome == "passed"
    assert aggregate("most_common", staged, values=[4]).outcome == "failed"
    missing = aggregate("contains", staged, values=[4, 5, 6])
    assert (missing.outcome, missing.value) == ("failed", 2)


@pytest.mark.parametrize(
    ("function", "column", "told"),
    [("most_common", "of", False), ("max", "day", False), ("max", "price", False), ("avg", "price", True)],
)
def test_a_result_holds_no_value_of_somebodys_row(function: str, column: str, told: bool) -> None:
    rows = Staged(of=["ann@x.org"], day=[dt.date(1990, 1, 5)], price=[Decimal("19.25")])
    fields = [replace(f, classification="pii" if f.name == "price" else "") for f in scene_of(rows).fields]
    bounds: dict[str, Any] = {"of": {"values": ["bob@x.org"]}, "day": {"max": "1980-01-01"}}.get(column, {"max": 1})
    (check,) = compiled({"type": "aggregate", "function": function, "column": column, **bounds})
    (result,) = results([check], rows, fields=fields)
    assert result.outcome == "failed"
    assert (result.value, "19.25" in result.message) == ((19.25, True) if told else (None, False))
    assert "ann" not in repr(result)
    assert "1990" not in repr(result)


def test_an_aggregate_of_nothing_is_not_evaluated_and_nan_is_within_no_bounds() -> None:
    assert aggregate("avg", Staged(amount=[None, None])).outcome == "not_evaluated"
    assert aggregate("avg", Staged(amount=[])).outcome == "skipped"
    assert aggregate("distinct_count", Staged(amount=[None, None]), min=0, max=0).outcome == "passed"
    ends: list[dict[str, Any]] = [{"min": 0}, {"max": 9}]
    for each in ends:
        assert aggregate("avg", Staged(amount=[1.0, math.nan]), **each).outcome == "failed"
    (negated,) = results(
        [
            a_check(
                kind="aggregate",
                scope="dataset",
                columns=("amount",),
                params={"function": "avg", "allowed": {"op": "mustNotBe", "value": 1, "unit": "rows"}},
            )
        ],
        Staged(amount=[math.nan]),
    )
    assert negated.outcome == "failed"


def test_values_of_rows_are_in_no_message() -> None:
    result = aggregate("max", Staged(of=["secret"]), "of", max="a")
    assert result.outcome == "failed"
    assert "secret" not in result.message
    failing = judged(
        {"type": "sql", "query": "SELECT CAST(any_value(of) AS INTEGER) FROM {table}", "max": 1}, Staged(of=["secret"])
    )
    assert (failing.outcome, failing.message) == ("error", "Conversion Error")


@requirement("DQ-07")
def test_where_chooses_the_rows_of_every_kind() -> None:
    staged = Staged(id=[1, 1, 2, 3], of=["a", "b", "a", "a"], amount=[1.0, 50.0, 3.0, None], day=[None] * 4)
    where = {"where": "of = 'a'"}
    assert aggregate("sum", staged, **where).value == 4
    assert aggregate("null_share", staged, **where).value == pytest.approx(1 / 3)
    assert aggregate("distinct_count", staged, "id", **where).value == 3
    assert judged({"type": "unique", "column": "id", **where}, staged).outcome == "passed"
    assert judged({"type": "unique", "column": "id"}, staged).outcome == "failed"
    counted = judged({"type": "row_count", "min": 4, **where}, staged)
    assert (counted.outcome, counted.value, counted.evaluated_by) == ("failed", 3, "scan")
    shares = {"type": "distribution", "column": "id", "shares": {"1": 1.0}, "max": 0.5}
    assert judged({**shares, **where}, staged).value == pytest.approx(2 / 3)


@requirement("DQ-05")
def test_all_aggregates_take_one_pass_over_the_columns_they_name() -> None:
    staged = Staged(id=[1, 2], of=["a", "b"], amount=[1.0, 2.0], price=[Decimal(1), Decimal(2)])
    checks = compiled(
        {"type": "aggregate", "function": "avg", "column": "amount", "min": 0},
        {"type": "aggregate", "function": "max", "column": "price", "min": 0},
        {"type": "aggregate", "function": "null_count", "column": "amount", "max": 0},
        {"type": "distribution", "column": "id", "edges": [2], "shares": [0.5, 0.5], "max": 0.1},
    )
    assert {r.outcome for r in results(checks, staged)} == {"passed"}
    assert staged.reads == [["amount", "id", "price"]]


@requirement("DQ-11")
def test_one_check_that_cannot_be_evaluated_costs_one_error() -> None:
    staged = Staged(id=[1, 2], of=["a", "b"], amount=[1.0, 2.0])
    fine = compiled({"type": "aggregate", "function": "avg", "column": "amount", "min": 0})
    broken = compiled({"type": "row_count", "min": 0, "where": "of::INTEGER > 1"})
    unknown = a_check(id="u", kind="aggregate", scope="dataset", columns=("nowhere",), params={"function": "avg"})
    found = results([*fine, *broken, unknown], staged)
    assert [r.outcome for r in found] == ["passed", "error", "error"]
    assert found[1].message == "Conversion Error"
    assert "no column 'nowhere'" in found[2].message


def test_storage_that_does_not_answer_is_no_fault_of_a_check() -> None:
    staged = Staged(id=[1, 2], amount=[1.0, 2.0])

    def torn(columns: Any) -> Any:
        yield next(iter(staged(columns)))
        raise StorageUnavailable("the disk is gone")

    for body in (
        {"type": "aggregate", "function": "avg", "column": "amount", "min": 0},
        {"type": "unique", "column": "id"},
        {"type": "sql", "query": "SELECT count(*) FROM {table}", "min": 0},
    ):
        with pytest.raises(StorageUnavailable):
            evaluate(compiled(body), replace(scene_of(staged), read=torn))


# --- SQL ---------------------------------------------------------------------------------------------------------


@requirement("DQ-05")
@pytest.mark.parametrize("place", ["{table}", "${table}", "{object}", "${object}", "{dataset}", "staged"])
def test_a_query_counts_over_the_rows_by_any_usual_name(place: str) -> None:
    query = f"SELECT count(*) FILTER (WHERE {{column}} > 1) FROM {place};"
    result = judged({"type": "sql", "query": query, "column": "id", "max": 1}, Staged(id=[1, 2, 3], of=["a"] * 3))
    assert (result.outcome, result.value, result.evaluated_by) == ("failed", 2, "scan")


@requirement("DQ-05")
def test_a_query_may_look_at_the_rows_twice_and_reads_no_column_it_does_not_name() -> None:
    staged = Staged(id=[1, 2, 3, 3], of=["a"] * 4, amount=[1.0] * 4)
    query = "WITH m AS (SELECT max(id) AS top FROM {table}) SELECT count(*) FROM {table}, m WHERE id = top"
    assert judged({"type": "sql", "query": query, "max": 2}, staged).value == 2
    assert staged.reads == [["id"]]


@requirement("DQ-05", "DQ-11")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT nothing FROM {table}", 'column "nothing" not found'),
        ("SELECT count(*) FROM elsewhere", "elsewhere"),
        ("SELECT 1 / 0 FROM {table} LIMIT 1", "divides by zero"),
        ("SELECT of FROM {table} LIMIT 1", "one number"),
        ("SELECT id FROM {table}", "one row of one column"),
        ("SELECT id, id FROM {table} LIMIT 1", "one row of one column"),
        ("SELEC 1", "no SQL query"),
        ("DELETE FROM {table}", "no SELECT"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("COPY (SELECT 1) TO '/tmp/x'", "no SELECT"),
        ("SELECT count(*) FROM read_text('/etc/passwd')", "Permission Error"),
        ("SELECT count(*) FROM '/etc/passwd'", "/etc/passwd does not exist"),
    ],
)
def test_a_query_that_is_wrong_or_hostile_is_an_error_and_never_passes(query: str, said: str) -> None:
    result = judged({"type": "sql", "query": query, "min": 0}, Staged(id=[1, 2], of=["a", "b"]))
    assert (result.outcome, said in result.message) == ("error", True)


@requirement("DQ-05", "DQ-11")
def test_a_query_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "TIME_LIMIT_SECONDS", 0.3)
    hang = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range * b.range % 7 = 3"
    started = time.monotonic()
    result = judged({"type": "sql", "query": hang, "min": 0}, Staged(id=[1]))
    assert (result.outcome, "longer than 0.3 s" in result.message) == ("error", True)
    assert time.monotonic() - started < 10


@requirement("DQ-05")
def test_rows_that_a_query_gives_fail() -> None:
    staged = Staged(id=[1, 2, 3], amount=[1.0, -1.0, -2.0])
    query = {"type": "failed_rows", "query": "SELECT * FROM {table} WHERE amount < 0"}
    found = judged(query, staged)
    assert (found.outcome, found.failed, found.message) == ("failed", 2, "2 of 3 rows fail")
    assert judged({**query, "max": 2}, staged).outcome == "passed"
    assert judged({**query, "max": 50, "unit": "percent"}, staged).outcome == "failed"
    assert judged({**query, "tolerance": 0.7}, staged).outcome == "passed"
    assert judged({"type": "failed_rows", "query": "SELECT id FROM {table} WHERE id > 9"}, staged).outcome == "passed"


# --- references, shares, columns ---------------------------------------------------------------------------------


def customers(*ids: int) -> Any:
    fields = (Field("number", "long"), Field("name"))

    def read(columns: Any) -> Any:
        names = [field.name for field in columns]
        rows = pa.table({"number": pa.array(ids, pa.int64()), "name": ["x"] * len(ids)})
        yield from rows.select(names).to_batches()

    def within(ranges: Any, keys: Any) -> PublishedRows:
        rows = pa.table({"number": pa.array(ids, pa.int64())})
        return PublishedRows(pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()), 3, 2)

    return lambda name: TableVersion(f"acme.{name}", "1", fields, read, within)


@requirement("DQ-06")
def test_values_must_be_found_in_the_table_they_refer_to_and_null_refers_to_nothing() -> None:
    staged = Staged(id=[1, 2, 9, 9, None], of=["a", "a", "a", "b", "a"])
    body = {"type": "reference", "column": "id", "table": "customers", "to": "number"}
    found = judged(body, staged, table=customers(1, 2, 3))
    assert (found.outcome, found.failed, found.evaluated_by) == ("failed", 2, "scan")
    assert "customers.number does not have" in found.message
    assert judged(body, staged, table=customers(1, 2, 9, 9)).outcome == "passed"
    assert judged({**body, "max": 40, "unit": "percent"}, staged, table=customers(1, 2)).outcome == "passed"
    assert judged({**body, "where": "of = 'b'"}, staged, table=customers(1)).failed == 1
    assert judged(body, staged, table=customers()).failed == 4


def test_a_reference_that_cannot_be_looked_up_is_an_error() -> None:
    body = {"type": "reference", "column": "id", "table": "customers", "to": "missing"}
    found = judged(body, Staged(id=[1]), table=customers(1))
    assert (found.outcome, "has no column 'missing'" in found.message) == ("error", True)

    def nobody(name: str) -> TableVersion:
        raise ConfigurationError(f"there is no table {name}")

    assert judged({**body, "to": "number"}, Staged(id=[1]), table=nobody).message == "there is no table customers"


@requirement("DQ-06")
def test_shares_are_compared_with_what_is_expected() -> None:
    staged = Staged(of=["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    body = {"type": "distribution", "column": "of", "shares": {"a": 0.5, "b": 0.4}, "max": 0.1}
    assert judged(body, staged).value == pytest.approx(0.1)  # c has the rest, which is 0.1
    assert judged({**body, "max": 0.09}, staged).outcome == "failed"
    psi = judged({**body, "measure": "psi", "max": 0.2}, Staged(of=["a"] * 50 + ["b"] * 30 + ["c"] * 20))
    expected = (0.3 - 0.4) * math.log(0.3 / 0.4) + (0.2 - 0.1) * math.log(0.2 / 0.1)
    assert (psi.outcome, psi.value) == ("passed", pytest.approx(expected))
    assert judged({**body, "measure": "psi"}, Staged(of=["a"] * 99)).outcome == "not_evaluated"
    bins = {"type": "distribution", "column": "amount", "edges": [10, 20], "shares": [0.5, 0.25, 0.25], "max": 0.01}
    assert judged(bins, Staged(amount=[1.0, 9.9, 10.0, 20.0])).outcome == "passed"
    assert judged(bins, Staged(amount=[1.0, 10.0, 10.0, 20.0])).outcome == "failed"


@requirement("DQ-06")
def test_the_columns_themselves_are_judged_without_a_row() -> None:
    staged = Staged(id=[], of=[], amount=[])
    for body, said in (
        ({"names": ["id", "of"]}, ""),
        ({"names": ["id", "off"]}, "there is no column 'off'"),
        ({"names": ["of", "id"], "order": True}, "the columns come in the order id, of"),
        ({"names": ["id", "of"], "others": False}, "there is a column 'amount' more"),
        ({"types": {"id": "int"}}, "'id' is long and not int"),
        ({"min": 4}, "there are 3 columns, must be ≥ 4"),
    ):
        found = judged({"type": "schema", **body}, staged)
        assert (found.outcome, found.message, found.evaluated_by) == ("failed" if said else "passed", said, "stats")
    assert staged.reads == []


@requirement("DQ-07")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "aggregate", "column": "amount", "min": 1}, "function: '' is unknown"),
        ({"type": "aggregate", "function": "avgg", "column": "amount", "min": 1}, "did you mean 'avg'"),
        ({"type": "aggregate", "function": "avg", "column": "of", "min": 1}, "which is string"),
        ({"type": "aggregate", "function": "avg", "column": "amount"}, "needs min or max"),
        ({"type": "aggregate", "function": "avg", "column": "amount", "min": 2, "max": 1}, "swap them"),
        ({"type": "aggregate", "function": "quantile", "column": "amount", "min": 2, "argument": 75}, "no share"),
        ({"type": "aggregate", "function": "contains", "column": "amount"}, "list of values"),
        ({"type": "sql", "min": 1}, "needs query"),
        ({"type": "condition"}, "needs expression"),
        ({"type": "condition", "expression": "amont > 1"}, "did you mean 'amount'"),
        ({"type": "reference", "column": "id"}, "needs table"),
        ({"type": "reference", "columns": ["id", "of"], "table": "t", "to": "x"}, "cannot refer to 1"),
        ({"type": "distribution", "column": "id", "shares": {"a": 0.9, "b": 0.2}, "max": 1}, "come to 1"),
        ({"type": "distribution", "column": "id", "edges": [2, 1], "shares": [1, 0, 0], "max": 1}, "ascending"),
        ({"type": "schema"}, "needs names"),
        ({"type": "unique", "column": "id", "scope": "world"}, "scope: 'world'"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        compiled(body)
    assert said in str(refused.value)
    assert refused.value.where == "c.yaml:1:1"
