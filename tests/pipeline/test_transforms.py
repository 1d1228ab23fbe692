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
