"""Every check of Soda 4 that we evaluate ourselves has the verdict that Soda itself has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.quality.frontends.soda import MAPPED
from tests.quality.engines.twins import TABLES, Case, Said, agree, by_engine, by_us
from tests.support import requirement

NAN = {"nan": "NaN is in no range for us; for Soda's DuckDB it is the greatest number"}
NO_NUMBER = {"nan": "a mean that is NaN fails for us; Soda reaches no verdict, which blocks as well"}
NO_AGE = dict.fromkeys(("nulls", "empty"), "without a moment there is no age for us; for Soda it is too great")


def under(column: str, name: str, word: str, differs: dict[str, str] | None = None, **body: Any) -> Case:
    return Case(name, {word: body}, column, differs=differs or {})


def of_table(name: str, word: str, differs: dict[str, str] | None = None, **body: Any) -> Case:
    return Case(name, {word: body}, differs=differs or {})


CASES = [
    under("id", "missing", "missing"),
    under("of", "missing words", "missing", missing_values=["", "N/A"]),
    under("of", "missing format", "missing", missing_format={"regex": "^[a-c]?$", "name": "letters"}),
    under("amount", "missing at most 1", "missing", threshold={"must_be_less_than_or_equal": 1}),
    under("amount", "missing at most 20 %", "missing", threshold={"metric": "percent", "must_be_less_than": 20}),
    under("of", "valid values", "invalid", valid_values=["a", "b", "c", "d", "e", "f"]),
    under("of", "invalid values", "invalid", invalid_values=["a"]),
    under("of", "valid format", "invalid", valid_format={"regex": "^[a-z]", "name": "letter"}),
    under("of", "invalid format", "invalid", invalid_format={"regex": "ß", "name": "sharp s"}),
    under("id", "valid range", "invalid", valid_min=1, valid_max=6),
    under("amount", "valid min", "invalid", NAN, valid_min=0),
    under("price", "valid decimals", "invalid", valid_min=0, valid_max=7),
    under("of", "valid length", "invalid", valid_length=1),
    under("of", "valid lengths", "invalid", valid_min_length=1, valid_max_length=2),
    under("of", "valid and missing", "invalid", valid_min_length=1, missing_values=[""]),
    under("of", "two rules", "invalid", valid_max_length=3, invalid_values=["f"]),
    under("of", "invalid below 20 %", "invalid", valid_values=["a"],
          threshold={"metric": "percent", "must_be_less_than": 20}),
    under("id", "duplicate", "duplicate"),
    under("of", "duplicate at most 1", "duplicate", threshold={"must_be_less_than_or_equal": 1}),
    under("id", "duplicate percent", "duplicate", threshold={"metric": "percent", "must_be_less_than": 45}),
    of_table("duplicate of two", "duplicate", columns=["id", "amount"]),
    of_table("duplicate of two with nulls", "duplicate", columns=["of", "day"]),
    of_table("row count", "row_count"),
    of_table("row count between", "row_count",
          threshold={"must_be_between": {"greater_than": 3, "less_than_or_equal": 6}}),
    of_table("row count not between", "row_count",
          threshold={"must_be_not_between": {"greater_than": 5, "less_than": 1}}),
    under("amount", "average", "aggregate", NO_NUMBER, function="avg", threshold={"must_be_greater_than": 3}),
    under("id", "sum", "aggregate", function="sum", threshold={"must_be": 21}),
    under("price", "minimum", "aggregate", function="min", threshold={"must_be_greater_than_or_equal": 0}),
    under("price", "maximum", "aggregate", function="max", threshold={"must_be_less_than": 10}),
    under("of", "average length", "aggregate", function="avg_length", threshold={"must_be": 1}),
    under("of", "longest", "aggregate", function="max_length", threshold={"must_be_less_than": 6}),
    of_table("metric expression", "metric", expression="count(DISTINCT of)", threshold={"must_be_greater_than": 4}),
    of_table("metric query", "metric", query="SELECT count(*) FROM staged WHERE id > 3", threshold={"must_be": 3}),
    of_table("failed rows", "failed_rows", expression="amount < 0 OR price < 0"),
    of_table("failed rows of null", "failed_rows", expression="amount > 2 AND id > 1"),
    of_table("failed rows below 20 %", "failed_rows", expression="id < 2",
          threshold={"metric": "percent", "must_be_less_than": 20}),
    of_table("failed rows query", "failed_rows", query="SELECT * FROM staged WHERE of = 'a'",
          threshold={"must_be_less_than": 2}),
    of_table("fresh", "freshness", NO_AGE, column="at", threshold={"unit": "hour", "must_be_less_than": 1}),
    of_table("stale", "freshness", NO_AGE, column="at", threshold={"unit": "minute", "must_be_less_than_or_equal": 10}),
    of_table("schema", "schema"),
]  # fmt: skip


@pytest.fixture(scope="module")
def soda(envs: Path) -> dict[tuple[str, str], Said]:
    def request_of(case: Case) -> dict[str, Any]:
        return {"native": dict(case.body), "column": case.column}

    return by_engine("soda", CASES, envs, request_of)


def test_every_mapped_check_has_a_case() -> None:
    assert {next(iter(case.body)) for case in CASES} == set(MAPPED)


@requirement("SN-09", "DQ-05", "DQ-11", "SN-02")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_our_verdict_is_sodas(case: Case, table: str, soda: dict[tuple[str, str], Said]) -> None:
    agree(by_us("soda", case, TABLES[table]), soda[case.name, table], case, table)
