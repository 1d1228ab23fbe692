"""`type: custom` of ODCS hands its implementation to the front end of its engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.quality.compiling import allowed, compiled, one, refused
from tests.support import requirement


def custom(engine: str, implementation: Any, column: str = "", **beside: Any) -> Any:
    return one({"type": "custom", "engine": engine, "implementation": implementation, **beside}, "odcs", column)


@requirement("DQ-08", "DQ-11")
@pytest.mark.parametrize(
    ("engine", "implementation", "kind", "params"),
    [
        ("soda", "type: duplicate_percent\ncolumns: [id]\nmust_be_less_than: 1.0\n", "sql", None),
        ("soda", {"checks": [{"row_count": {"threshold": {"must_be": 5}}}]}, "row_count", allowed("mustBe", 5)),
        ("soda", "checks for orders:\n  - row_count = 5\n", "row_count", allowed("mustBe", 5)),
        ("soda", "- row_count = 5\n", "row_count", allowed("mustBe", 5)),
        ("greatExpectations", "type: expect_table_row_count_to_be_between\nkwargs:\n  minValue: 1\n  maxValue: 5\n",
         "row_count", allowed("mustBeBetween", [1, 5])),
        ("great_expectations", {"expectations": [{"type": "ExpectTableRowCountToEqual", "kwargs": {"value": 5}}]},
         "row_count", allowed("mustBe", 5)),
        ("dativo", {"type": "row_count", "min": 5}, "row_count", allowed("mustBeGreaterOrEqualTo", 5)),
    ],
)  # fmt: skip
def test_the_implementation_is_read_in_the_language_of_its_engine(
    engine: str, implementation: Any, kind: str, params: Any
) -> None:
    check = custom(engine, implementation)
    assert (check.kind, params is None or dict(check.params) == params) == (kind, True)


def test_a_rule_below_a_column_is_about_it_and_its_own_words_win() -> None:
    beside = {"name": "known", "severity": "warning", "dimension": "accuracy",
              "customProperties": [{"property": "onViolation", "value": "block"}]}  # fmt: skip
    check = custom("soda", {"invalid": {"valid_values": ["a"]}}, "state", **beside)
    assert (check.id, check.columns, check.severity, check.on_violation) == ("known", ("state",), "warning", "block")
    assert custom("dativo", {"type": "not_null"}, "email").columns == ("email",)
    gx = custom("gx", {"type": "expect_column_values_to_not_be_null"}, "email")
    assert gx.columns == ("email",)


def test_a_contract_of_soda_keeps_what_it_says_above_its_checks() -> None:
    document = {
        "dataset": "pg/db/public/orders",
        "filter": "paid",
        "columns": [{"name": "state", "valid_values": ["a"], "checks": [{"invalid": None}, {"missing": None}]}],
        "checks": [{"schema": {"allow_extra_columns": True}}],
    }
    schema, invalid, missing = compiled({"type": "custom", "engine": "soda", "implementation": document}, "odcs")
    assert schema.params["names"] == ["state"]
    assert (invalid.kind, invalid.where) == ("enum", "paid")
    assert missing.columns == ("state",)


@requirement("DQ-11")
def test_an_engine_nobody_knows_is_not_evaluated() -> None:
    assert "no engine for monteCarlo" in custom("monteCarlo", "x").params["not_evaluated"]


@pytest.mark.parametrize(
    ("implementation", "words"),
    [("", "holds no check"), ("just words", "holds no check"), ("a: [", "is no YAML")],
)
def test_an_implementation_that_holds_no_check_is_an_error(implementation: str, words: str) -> None:
    assert words in refused({"type": "custom", "engine": "soda", "implementation": implementation}, "odcs")
