"""Expectations of Great Expectations as checks of ours, with its own counting; the rest is left to the engine."""

from __future__ import annotations

from typing import Any

import pytest

from dativo_provider.quality.frontends.great_expectations import MAPPED
from tests.quality.compiling import allowed, compiled, one, refused
from tests.support import requirement


def expect(body: dict[str, Any]) -> Any:
    return one(body, "great_expectations")


@requirement("DQ-10", "DQ-11")
def test_more_than_fifty_built_in_expectations_are_evaluated_without_the_engine() -> None:
    assert len(MAPPED) >= 50


@requirement("DQ-08", "DQ-10")
@pytest.mark.parametrize(
    ("body", "kind", "params"),
    [
        ({"name": "expect_column_values_to_not_be_null", "column": "email"}, "required", {}),
        ({"expectation": "ExpectColumnValuesToBeUnique", "kwargs": {"column": "id"}}, "uniqueness", {}),
        ({"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "state", "value_set": ["a"]}}, "enum",
         {"values": ["a"]}),
        ({"type": "expect_column_values_to_not_be_in_set", "column": "state", "value_set": ["a"]}, "enum",
         {"values": ["a"], "negate": True}),
        ({"type": "expect_column_values_to_be_between", "column": "id", "min_value": 1, "strict_min": True,
          "max_value": 9}, "range", {"exclusive_min": 1, "max": 9}),
        ({"type": "expect_column_value_lengths_to_be_between", "column": "email", "max_value": 9, "strict_max": True},
         "length", {"max": 8}),
        ({"type": "expect_column_value_lengths_to_equal", "column": "email", "value": 9}, "length",
         {"min": 9, "max": 9}),
        ({"expectation_type": "expect_column_values_to_match_regex", "kwargs": {"column": "email", "regex": "@"}},
         "regex", {"pattern": "@"}),
        ({"type": "expect_column_values_to_match_regex_list", "column": "email", "regex_list": ["a", "b"]}, "regex",
         {"pattern": "(?:a)|(?:b)"}),
        ({"type": "expect_column_values_to_match_like_pattern", "column": "email", "like_pattern": "%'%"},
         "condition", {"expression": "\"email\" LIKE '%''%'", "reads": ["email"]}),
        ({"type": "expect_column_mean_to_be_between", "column": "rate", "min_value": 1, "max_value": 2}, "aggregate",
         {"function": "avg", **allowed("mustBeBetween", [1, 2])}),
        ({"type": "ExpectTableRowCountToBeBetween", "min_value": 1}, "row_count",
         allowed("mustBeGreaterOrEqualTo", 1)),
        ({"type": "expect_table_columns_to_match_set", "column_set": ["id"], "exact_match": False}, "schema",
         {"names": ["id"], "order": False, "others": True}),
        ({"type": "ExpectColumnKLDivergenceToBeLessThan", "column": "state", "threshold": 0.1,
          "partition_object": {"values": ["a", "b"], "weights": [0.4, 0.6]}}, "distribution",
         {"shares": {"a": 0.4, "b": 0.6}, "measure": "kl", "max": 0.1}),
        ({"type": "UnexpectedRowsExpectation", "unexpected_rows_query": "SELECT * FROM {batch} WHERE id < 0"},
         "failed_rows", {"query": "SELECT * FROM {object} WHERE id < 0", **allowed("mustBe", 0)}),
        ({"type": "not_null", "column": "email"}, "required", {}),
    ],
)  # fmt: skip
def test_an_expectation_in_any_spelling_is_a_check_of_ours(body: dict[str, Any], kind: str, params: Any) -> None:
    check = expect(body)
    assert (check.kind, dict(check.params), check.engine) == (kind, params, "")


@requirement("DQ-10")
def test_mostly_is_a_share_of_the_rows_that_are_not_null() -> None:
    check = expect({"type": "expect_column_values_to_match_regex", "column": "email", "regex": "@", "mostly": 0.95})
    assert (check.tolerance, check.denominator, check.on_violation) == (0.05, "non_null", "block")
    absent = expect({"type": "expect_column_values_to_not_be_null", "column": "email", "mostly": 0.95})
    assert (absent.tolerance, absent.denominator) == (0.05, "rows")
    unique = expect({"type": "expect_column_values_to_be_unique", "column": "email", "mostly": 0.9})
    assert (unique.kind, unique.params["allowed"]["value"]) == ("sql", 10)


def test_ends_of_which_one_is_excluded_are_two_checks() -> None:
    body = {"type": "expect_column_sum_to_be_between", "column": "rate", "min_value": 1, "max_value": 5,
            "strict_max": True}  # fmt: skip
    bounds = [check.params["allowed"]["op"] for check in compiled(body, "great_expectations")]
    assert bounds == ["mustBeGreaterOrEqualTo", "mustBeLessThan"]


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ('col("state") == "a"', "(\"state\" = 'a')"),
        ("col('amount') >= 1.5", '("amount" >= 1.5)'),
        ('col("state").notNull()', '("state" IS NOT NULL)'),
        ({"type": "comparison", "column": {"name": "state"}, "operator": "IN", "parameter": ["a", "b"]},
         "(\"state\" IN ('a', 'b'))"),
        ({"type": "or", "conditions": [
            {"type": "nullity", "column": {"name": "state"}, "is_null": True},
            {"type": "comparison", "column": {"name": "id"}, "operator": ">", "parameter": 5},
        ]}, '(("state" IS NULL) OR ("id" > 5))'),
    ],
)  # fmt: skip
def test_a_row_condition_is_the_where_of_the_check(condition: Any, where: str) -> None:
    body = {"type": "expect_table_row_count_to_equal", "value": 3, "row_condition": condition}
    assert expect(body).where == where


def test_a_row_of_a_pair_counts_unless_both_are_missing() -> None:
    check = expect({"type": "expect_column_pair_values_to_be_equal", "column_A": "email", "column_B": "state"})
    assert check.where == '(NOT (("email" IS NULL) AND ("state" IS NULL)))'


def test_a_null_is_a_value_of_a_compound_key_unless_none_can_be() -> None:
    body = {"type": "expect_compound_columns_to_be_unique", "column_list": ["id", "state"]}
    assert expect(body).kind == "sql"
    assert expect({**body, "ignore_row_if": "any_value_is_missing"}).kind == "uniqueness"
    assert expect({**body, "column_list": ["id", "id"]}).kind == "uniqueness"


@requirement("DQ-10", "DQ-11")
@pytest.mark.parametrize(
    "more",
    [
        {"type": "expect_column_values_to_be_increasing"},
        {"type": "expect_column_values_to_be_unique", "engine": "great_expectations"},
        {"type": "expect_column_values_to_be_unique", "row_condition": "id > 5"},
        {"type": "expect_column_quantile_values_to_be_between", "allow_relative_error": True,
         "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, 2]]}},
    ],
)  # fmt: skip
def test_what_does_not_map_and_what_asks_for_the_engine_is_the_engines(more: dict[str, Any]) -> None:
    check = expect({"kwargs": {"column": "id", "mostly": 0.9}, "severity": "warning", **more})
    assert (check.kind, check.engine, check.severity, check.tolerance) == ("custom", "great_expectations", "warning", 0)
    assert check.params["native"]["type"] == more["type"]
    assert check.params["native"]["kwargs"]["mostly"] == 0.9


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"type": "expect_column_values_to_be_unique", "column": "idd"}, "did you mean 'id'"),
        ({"type": "expect_column_values_to_be_between", "column": "id"}, "names no bound"),
        ({"type": "expect_column_values_to_be_in_set", "column": "id", "value_set": 5}, "a list of values"),
        ({"type": "expect_column_values_to_match_regex", "column": "email"}, "regex: None is no text"),
        ({"type": "expect_column_values_to_not_be_null", "column": "email", "mostly": 95}, "no share of rows"),
        ({"type": "expect_table_row_count_to_equal"}, "add value: 100"),
    ],
)
def test_what_is_wrong_with_an_expectation_is_said(body: dict[str, Any], words: str) -> None:
    assert words in refused(body, "great_expectations")
