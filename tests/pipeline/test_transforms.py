from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dativo_provider.model.job import TransformSpec
from dativo_provider.model.stream import Field
from tests.pipeline.build import ORDERS, Bench
from tests.support import requirement


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.csv("a.csv", "1,north,1.50,", "2,north,2.50,", "3,south,10.00,")
    return made


@requirement("ING-18")
def test_row_wise_expressions_add_and_replace_columns(bench: Bench) -> None:
    bench.transforms = (
        TransformSpec("shout", "region", "upper(region)"),
        TransformSpec("tax", "tax", "CAST(amount * 0.2 AS DECIMAL(12,3))"),
    )
    assert bench.run().error is None
    rows = sorted(bench.rows(), key=lambda row: row["id"])
    assert [row["region"] for row in rows] == ["NORTH", "NORTH", "SOUTH"]
    assert rows[0]["tax"] == Decimal("0.300")


@requirement("ING-18", "SN-02")
def test_windowed_expressions_see_the_whole_run_and_earlier_columns(bench: Bench) -> None:
    bench.csv("b.csv", "4,south,5.00,", "5,,1.00,")
    bench.job["slices"] = 2
    bench.transforms = (
        TransformSpec("team", "team", "coalesce(region, 'unallocated')"),
        TransformSpec("total", "total", "sum(amount) over (partition by team)", windowed=True),
    )
    report = bench.run()
    assert report.error is None
    assert report.books.produced == report.books.accepted == 5
    totals = {row["id"]: row["total"] for row in bench.rows()}
    assert totals == {1: 4, 2: 4, 3: 15, 4: 15, 5: 1}


@requirement("ING-18")
def test_a_check_on_a_windowed_column_sets_its_rows_aside(bench: Bench) -> None:
    bench.fields = (*ORDERS, Field("total", "decimal(38,2)"))
    bench.rules = ({"type": "range", "column": "total", "max": 5},)
    bench.transforms = (TransformSpec("total", "total", "sum(amount) over (partition by region)", windowed=True),)
    report = bench.run()
    assert report.error is None
    assert (report.books.accepted, report.books.quarantined) == (2, 1)
    (aside,) = bench.quarantine()
    assert "south" in aside["raw"]


def test_an_expression_that_fails_on_a_row_costs_that_row(bench: Bench) -> None:
    bench.fields = (*ORDERS, Field("code", "long", required=True))
    bench.transforms = (TransformSpec("code", "code", "CAST(CASE WHEN id = 2 THEN 'x' ELSE '7' END AS BIGINT)"),)
    report = bench.run()
    assert report.error is None
    assert (report.books.accepted, report.books.quarantined) == (2, 1)


UNIQUE = {"id": "once", "type": "uniqueness", "columns": ["id"], "severity": "error"}
TOTAL = TransformSpec("total", "total", "sum(amount) over (partition by region)", windowed=True)


@requirement("SN-02", "DQ-06")
def test_rows_that_repeat_a_key_are_in_no_sum_over_the_run(bench: Bench) -> None:
    bench.rules, bench.transforms = [UNIQUE], (TOTAL,)
    bench.fields = (*ORDERS, Field("total", "decimal(38,2)"))
    bench.csv("a.csv", "1,north,1.00,", "2,north,2.00,", "1,north,1.00,")
    bench.csv("b.csv", "3,north,4.00,", "2,north,2.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert [(row["id"], str(row["total"])) for row in sorted(bench.rows(), key=lambda row: row["id"])] == [
        (1, "7.00"), (2, "7.00"), (3, "7.00"),
    ]  # fmt: skip
    assert [row["reasons"] for row in bench.quarantine()] == [["once"], ["once"]]
    assert (outcome.books.extracted, outcome.books.accepted, outcome.books.quarantined) == (5, 3, 2)
    assert outcome.verdict is not None
    (found,) = [result for result in outcome.verdict.results if result.check_id == "once"]
    assert (found.outcome, found.failed, found.evaluated) == ("failed", 2, 5)


@requirement("SN-02")
def test_where_no_key_repeats_the_check_is_judged_once_and_passes(bench: Bench) -> None:
    bench.rules, bench.transforms = [UNIQUE], (TOTAL,)
    bench.fields = (*ORDERS, Field("total", "decimal(38,2)"))
    bench.csv("a.csv", "1,north,1.00,", "2,north,2.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert outcome.verdict is not None
    (found,) = [result for result in outcome.verdict.results if result.check_id == "once"]
    assert (found.outcome, found.failed, found.evaluated) == ("passed", 0, 2)


@requirement("SN-02")
def test_a_key_over_a_windowed_column_is_judged_once_it_is_there(bench: Bench) -> None:
    bench.rules, bench.transforms = [{**UNIQUE, "columns": ["total"]}], (TOTAL,)
    bench.fields = (*ORDERS, Field("total", "decimal(38,2)"))
    bench.csv("a.csv", "1,north,1.00,", "2,north,2.00,", "3,south,1.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert sorted(str(row["total"]) for row in bench.rows()) == ["1.00", "3.00"]
    assert [row["reasons"] for row in bench.quarantine()] == [["once"]]
