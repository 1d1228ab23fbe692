"""One small table, and every check of Soda 4 and Great Expectations that maps: once as it passes, once as it fails.

The real engines are run on the same table and examples, so that their verdicts can be compared with ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dativo_provider.model.stream import Field

__all__ = ["EXPECTATIONS", "FIELDS", "ROWS", "SODA", "Example"]

FIELDS = (
    Field("id", "long", required=True),
    Field("qty", "long"),
    Field("least", "long"),
    Field("price", "double"),
    Field("state", "string"),
    Field("email", "string"),
    Field("day", "string"),
    Field("seen", "timestamp"),
)
ROWS: dict[str, list[Any]] = {
    "id": [1, 2, 3, 4, 5, 6, 7, 8],
    "qty": [5, 5, 7, None, 9, 11, 13, 90],
    "least": [1, 5, 2, None, 3, 11, 14, 0],
    "price": [1.5, 2.5, 2.5, 3.0, None, 4.0, 8.0, 9.0],
    "state": ["new", "new", "new", "paid", "paid", None, "void", "new"],
    "email": ["a@x.org", "b@x.org", "c@x.org", None, "nobody", "d@y.com", "e@y.com", "f@y.com"],
    "day": ["2024-01-01", "2024-01-02", None, "2024-02-30", "2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08"],
    "seen": [f"2024-03-0{number}T00:00:00" for number in range(1, 9)],
}


@dataclass(frozen=True)
class Example:
    """A check in its own language. `column` is set where Soda has it stand under one."""

    word: str
    body: dict[str, Any]
    passes: bool
    column: str = ""

    def __str__(self) -> str:
        return f"{self.word}-{'passes' if self.passes else 'fails'}"


def _gx(word: str, passing: dict[str, Any], failing: dict[str, Any]) -> list[Example]:
    return [
        Example(word, {"type": word, "kwargs": passing}, True),
        Example(word, {"type": word, "kwargs": failing}, False),
    ]


def _of(column: str, word: str, passing: dict[str, Any], failing: dict[str, Any]) -> list[Example]:
    return _gx(word, {"column": column, **passing}, {"column": column, **failing})


def _bounded(column: str, word: str, low: float, high: float) -> list[Example]:
    return _of(column, word, {"min_value": low, "max_value": high}, {"min_value": high + 1, "max_value": high + 2})


_STATES = ["new", "paid", "void"]
_A, _B = {"column_A": "qty", "column_B": "least"}, {"column_A": "id", "column_B": "qty"}
EXPECTATIONS: list[Example] = [
    *_of("id", "expect_column_values_to_not_be_null", {}, {"column": "qty"}),
    *_of("qty", "expect_column_values_to_not_be_null", {"mostly": 0.875}, {"mostly": 0.9}),
    *_of("qty", "expect_column_values_to_be_null", {"mostly": 0.1}, {}),
    *_of("id", "expect_column_values_to_be_unique", {}, {"column": "qty"}),
    *_of("qty", "expect_column_values_to_be_unique", {"mostly": 0.7}, {"mostly": 0.8}),
    *_of("state", "expect_column_values_to_be_in_set", {"value_set": _STATES}, {"value_set": ["new"]}),
    *_of("state", "expect_column_values_to_be_in_set", {"value_set": ["new"], "mostly": 0.57},
         {"value_set": ["new"], "mostly": 0.58}),
    *_of("state", "expect_column_values_to_not_be_in_set", {"value_set": ["lost"]}, {"value_set": ["void"]}),
    *_of("qty", "expect_column_values_to_be_between", {"min_value": 5, "max_value": 90},
         {"min_value": 5, "max_value": 90, "strict_max": True}),
    *_of("state", "expect_column_value_lengths_to_be_between", {"min_value": 3, "max_value": 4}, {"max_value": 3}),
    *_of("day", "expect_column_value_lengths_to_equal", {"value": 10}, {"value": 9}),
    *_of("email", "expect_column_values_to_match_regex", {"regex": "^[a-z]"}, {"regex": "@"}),
    *_of("email", "expect_column_values_to_match_regex", {"regex": "@", "mostly": 0.85},
         {"regex": "@", "mostly": 0.86}),
    *_of("email", "expect_column_values_to_not_match_regex", {"regex": "^z"}, {"regex": "^no"}),
    *_of("email", "expect_column_values_to_match_regex_list", {"regex_list": ["@", "^no"]}, {"regex_list": ["@"]}),
    *_of("email", "expect_column_values_to_match_regex_list",
         {"regex_list": ["@", "org$"], "match_on": "all", "mostly": 0.4},
         {"regex_list": ["@", "org$"], "match_on": "all", "mostly": 0.5}),
    *_of("email", "expect_column_values_to_not_match_regex_list", {"regex_list": ["^z"]},
         {"regex_list": ["^z", "y"]}),
    *_of("email", "expect_column_values_to_match_like_pattern", {"like_pattern": "%o%"}, {"like_pattern": "%@%"}),
    *_of("email", "expect_column_values_to_not_match_like_pattern", {"like_pattern": "z%"}, {"like_pattern": "no%"}),
    *_of("email", "expect_column_values_to_match_like_pattern_list", {"like_pattern_list": ["%@%", "no%"]},
         {"like_pattern_list": ["%@%", "no%"], "match_on": "all"}),
    *_of("email", "expect_column_values_to_not_match_like_pattern_list", {"like_pattern_list": ["z%"]},
         {"like_pattern_list": ["z%", "no%"]}),
    *_of("day", "expect_column_values_to_match_strftime_format", {"strftime_format": "%Y-%m-%d", "mostly": 0.8},
         {"strftime_format": "%Y-%m-%d"}),
    *_of("qty", "expect_column_value_z_scores_to_be_less_than", {"threshold": 3, "double_sided": True},
         {"threshold": 1, "double_sided": True}),
    *_gx("expect_compound_columns_to_be_unique", {"column_list": ["id", "state"]}, {"column_list": ["qty", "state"]}),
    *_gx("expect_select_column_values_to_be_unique_within_record", {"column_list": ["qty", "least"], "mostly": 0.7},
         {"column_list": ["qty", "least"]}),
    *_gx("expect_multicolumn_values_to_be_unique", {"column_list": ["qty", "least"], "mostly": 0.7},
         {"column_list": ["qty", "least"]}),
    *_gx("expect_multicolumn_values_to_be_equal", {"column_list": ["qty", "least"], "mostly": 0.2},
         {"column_list": ["qty", "least"]}),
    *_gx("expect_multicolumn_sum_to_equal", {"column_list": ["qty", "least"], "sum_total": 6, "mostly": 0.1},
         {"column_list": ["qty", "least"], "sum_total": 6}),
    *_gx("expect_column_pair_values_a_to_be_greater_than_b", {**_A, "or_equal": True, "mostly": 0.8}, _A),
    *_gx("expect_column_pair_values_to_be_equal", {"column_A": "id", "column_B": "id"}, _B),
    *_gx("expect_column_pair_values_to_be_in_set", {**_B, "value_pairs_set": [[1, 5], [2, 5]], "mostly": 0.25},
         {**_B, "value_pairs_set": [[1, 5]]}),
    *_bounded("price", "expect_column_mean_to_be_between", 4, 5),
    *_bounded("price", "expect_column_median_to_be_between", 3, 3),
    *_bounded("price", "expect_column_stdev_to_be_between", 2, 4),
    *_bounded("qty", "expect_column_sum_to_be_between", 140, 140),
    *_bounded("qty", "expect_column_min_to_be_between", 5, 5),
    *_bounded("qty", "expect_column_max_to_be_between", 80, 90),
    *_of("qty", "expect_column_quantile_values_to_be_between",
         {"quantile_ranges": {"quantiles": [0.25, 0.5], "value_ranges": [[5, 5], [9, 9]]}},
         {"quantile_ranges": {"quantiles": [0.25, 0.5], "value_ranges": [[5, 5], [1, 2]]}}),
    *_bounded("qty", "expect_column_unique_value_count_to_be_between", 6, 6),
    *_of("qty", "expect_column_proportion_of_unique_values_to_be_between", {"min_value": 0.85, "max_value": 0.86},
         {"min_value": 0.9}),
    *_of("qty", "expect_column_proportion_of_non_null_values_to_be_between", {"min_value": 0.87, "max_value": 0.88},
         {"min_value": 0.9}),
    *_of("state", "expect_column_distinct_values_to_be_in_set", {"value_set": [*_STATES, "x"]}, {"value_set": ["new"]}),
    *_of("state", "expect_column_distinct_values_to_contain_set", {"value_set": ["new"]}, {"value_set": ["new", "x"]}),
    *_of("state", "expect_column_distinct_values_to_equal_set", {"value_set": _STATES}, {"value_set": [*_STATES, "x"]}),
    *_of("state", "expect_column_most_common_value_to_be_in_set", {"value_set": ["new"]}, {"value_set": ["paid"]}),
    *_of("state", "expect_column_kl_divergence_to_be_less_than",
         {"partition_object": {"values": _STATES, "weights": [0.5, 0.3, 0.2]}, "threshold": 0.1},
         {"partition_object": {"values": _STATES, "weights": [0.1, 0.1, 0.8]}, "threshold": 0.1}),
    *_of("id", "expect_column_values_to_be_of_type", {"type_": "BIGINT"}, {"type_": "VARCHAR"}),
    *_of("id", "expect_column_values_to_be_in_type_list", {"type_list": ["INTEGER", "BIGINT"]},
         {"type_list": ["VARCHAR", "DOUBLE"]}),
    *_of("id", "expect_column_to_exist", {}, {"column": "nothing"}),
    *_gx("expect_table_row_count_to_be_between", {"min_value": 8}, {"max_value": 7}),
    *_gx("expect_table_row_count_to_equal", {"value": 8}, {"value": 7}),
    *_gx("expect_table_row_count_to_equal", {"value": 4, "row_condition": 'col("state") == "new"',
         "condition_parser": "great_expectations"}, {"value": 5, "row_condition": 'col("state") == "new"',
         "condition_parser": "great_expectations"}),
    *_gx("expect_table_column_count_to_be_between", {"max_value": 8}, {"max_value": 7}),
    *_gx("expect_table_column_count_to_equal", {"value": 8}, {"value": 7}),
    *_gx("expect_table_columns_to_match_ordered_list", {"column_list": [f.name for f in FIELDS]},
         {"column_list": [f.name for f in FIELDS][::-1]}),
    *_gx("expect_table_columns_to_match_set", {"column_set": ["id", "qty"], "exact_match": False},
         {"column_set": ["id", "qty"]}),
    *_gx("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch} WHERE qty < 0"},
         {"unexpected_rows_query": "SELECT * FROM {batch} WHERE qty > 50"}),
]  # fmt: skip


def _soda(word: str, column: str, passing: Any, failing: Any) -> list[Example]:
    return [Example(word, {word: passing}, True, column), Example(word, {word: failing}, False, column)]


def _threshold(**threshold: Any) -> dict[str, Any]:
    return {"threshold": threshold}


_FEW, _SHARE = _threshold(must_be_less_than_or_equal=1), {"metric": "percent"}
SODA: list[Example] = [
    *_soda("missing", "qty", _FEW, None),
    *_soda("missing", "qty", _threshold(**_SHARE, must_be_less_than=12.6),
           _threshold(**_SHARE, must_be_less_than=12.5)),
    *_soda("missing", "state", {"missing_values": ["void"], **_threshold(must_be=2)}, {"missing_values": ["void"]}),
    *_soda("invalid", "state", {"valid_values": _STATES}, {"valid_values": ["new"]}),
    *_soda("invalid", "state", {"invalid_values": ["lost"]}, {"invalid_values": ["void"]}),
    *_soda("invalid", "email", {"valid_format": {"regex": "@", "name": "at"}, **_FEW},
           {"valid_format": {"regex": "@", "name": "at"}}),
    *_soda("invalid", "qty", {"valid_min": 5, "valid_max": 90}, {"valid_max": 89}),
    *_soda("invalid", "state", {"valid_min_length": 3, "valid_max_length": 4}, {"valid_length": 4}),
    *_soda("invalid", "email",
           {"valid_format": {"regex": "@", "name": "at"}, **_threshold(**_SHARE, must_be_less_than=12.6)},
           {"valid_format": {"regex": "@", "name": "at"}, **_threshold(**_SHARE, must_be_less_than=12.5)}),
    *_soda("invalid", "state", {"valid_values": ["new", "paid"], "valid_max_length": 4, **_FEW},
           {"valid_values": ["new", "paid"], "valid_max_length": 3}),
    *_soda("duplicate", "id", None, _threshold(must_be_greater_than=0)),
    *_soda("duplicate", "qty", _FEW, None),
    *_soda("duplicate", "qty", _threshold(**_SHARE, must_be_less_than=14.3),
           _threshold(**_SHARE, must_be_less_than=14.2)),
    *_soda("duplicate", "", {"columns": ["id", "state"]}, {"columns": ["qty", "state"]}),
    *_soda("row_count", "", None, _threshold(must_be_greater_than=8)),
    *_soda("row_count", "",
           _threshold(must_be_between={"greater_than_or_equal": 8, "less_than_or_equal": 9}),
           _threshold(must_be_between={"greater_than": 8, "less_than_or_equal": 9})),
    *_soda("row_count", "", {"filter": "state = 'new'", **_threshold(must_be=4)},
           {"filter": "state = 'new'", **_threshold(must_be=8)}),
    *(each for function, low in (("avg", 4), ("sum", 30), ("min", 1), ("max", 8))
      for each in _soda("aggregate", "price", {"function": function, **_threshold(must_be_greater_than=low)},
                        {"function": function, **_threshold(must_be_less_than=low)})),
    *_soda("aggregate", "state", {"function": "max_length", **_threshold(must_be=4)},
           {"function": "max_length", **_threshold(must_be=5)}),
    *_soda("metric", "", {"expression": "sum(qty)", **_threshold(must_be=140)},
           {"expression": "sum(qty)", **_threshold(must_be=141)}),
    *_soda("failed_rows", "", {"expression": "qty < 0"}, {"expression": "qty > 50"}),
    *_soda("freshness", "", {"column": "seen", **_threshold(unit="day", must_be_less_than=2)},
           {"column": "seen", **_threshold(unit="hour", must_be_less_than=2)}),
]  # fmt: skip
