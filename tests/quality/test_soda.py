"""Soda 4's contract language and SodaCL as checks of ours, with Soda's own counting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.quality.compiling import allowed, compiled, one, refused
from tests.support import requirement

NONE = allowed("mustBe", 0)


def soda(body: Any, column: str = "") -> Any:
    return one(body if isinstance(body, dict) else {body: None}, "soda", column)


@requirement("DQ-08", "DQ-11")
@pytest.mark.parametrize(
    ("body", "column", "kind", "params"),
    [
        ({"missing": None}, "email", "required", {}),
        ({"missing": {"missing_values": ["n/a"]}}, "email", "required", {"missing": ["n/a"]}),
        ({"missing": {"threshold": {"metric": "percent", "must_be_less_than": 5}}}, "email", "required",
         allowed("mustBeLessThan", 5, "percent")),
        ({"invalid": {"valid_values": ["a"]}}, "state", "enum", {"values": ["a"]}),
        ({"invalid": {"invalid_values": ["a"]}}, "state", "enum", {"values": ["a"], "negate": True}),
        ({"invalid": {"valid_format": {"regex": "^a", "name": "a"}}}, "email", "regex", {"pattern": "^a"}),
        ({"invalid": {"valid_min": 1, "valid_max": 5}}, "id", "range", {"min": 1, "max": 5}),
        ({"invalid": {"valid_length": 5}}, "email", "length", {"min": 5, "max": 5}),
        ({"invalid": {"valid_reference_data": {"dataset": "pg/public/states", "column": "code"}}}, "state",
         "reference", {"table": "states", "to": ["code"], **NONE}),
        ({"duplicate": None}, "id", "uniqueness", {}),
        ({"duplicate": {"threshold": {"must_be_less_than": 5}}}, "email", "uniqueness", allowed("mustBeLessThan", 5)),
        ({"row_count": None}, "", "row_count", allowed("mustBeGreaterThan", 0)),
        ({"row_count": {"threshold": {"must_be_between": {"greater_than_or_equal": 1, "less_than_or_equal": 9}}}}, "",
         "row_count", allowed("mustBeBetween", [1, 9])),
        ({"aggregate": {"function": "avg", "threshold": {"must_be_greater_than": 1}}}, "rate", "aggregate",
         {"function": "avg", **allowed("mustBeGreaterThan", 1)}),
        ({"metric": {"expression": "sum(amount)", "threshold": {"must_be": 1}}}, "", "sql",
         {"query": "SELECT sum(amount) FROM {object}", **allowed("mustBe", 1)}),
        ({"failed_rows": {"expression": "amount < 0"}}, "", "condition",
         {"expression": "NOT coalesce((amount < 0), FALSE)"}),
        ({"failed_rows": {"query": "SELECT * FROM pub.orders WHERE id < 0"}, "dataset": "pg/db/pub/orders"}, "",
         "failed_rows", {"query": "SELECT * FROM {object} WHERE id < 0", **NONE}),
        ({"freshness": {"column": "seen", "threshold": {"unit": "day", "must_be_less_than": 2}}}, "", "freshness",
         {"max_age_seconds": 172800}),
        ({"schema": {"allow_extra_columns": True}, "columns_declared": {"id": "bigint", "email": None}}, "", "schema",
         {"names": ["id", "email"], "types": {"id": "long"}, "order": True, "others": True}),
    ],
)  # fmt: skip
def test_soda_4(body: dict[str, Any], column: str, kind: str, params: dict[str, Any]) -> None:
    check = soda(body, column)
    assert (check.kind, dict(check.params), check.engine) == (kind, params, "")


def test_several_rules_of_validity_and_missing_words_are_one_condition() -> None:
    check = soda({"invalid": {"valid_values": ["a"], "valid_max_length": 3, "missing_values": ["?"]}}, "state")
    assert check.kind == "condition"
    assert check.params["expression"] == (
        '(("state" IS NULL) OR (coalesce("state" IN (\'?\'), FALSE))) OR '
        '(("state" IN (\'a\')) AND (length("state") <= 3))'
    )


def test_percentages_of_duplicates_are_of_the_values_and_nulls_count_in_keys_of_several_columns() -> None:
    share = soda({"duplicate": {"threshold": {"metric": "percent", "must_be_less_than": 5}}}, "email")
    assert (share.kind, share.params["allowed"]["unit"]) == ("sql", "rows")
    assert 'nullif(count("email"), 0)' in share.params["query"]
    assert soda({"duplicate": {"columns": ["id", "state"]}}).kind == "sql"
    assert soda({"duplicate": {"columns": ["id"]}}).kind == "uniqueness"


def test_a_level_is_a_severity_and_a_second_threshold_a_second_check() -> None:
    threshold = {"must_be_less_than": 9, "level": "fail", "additional": {"must_be_less_than": 5, "level": "warn"}}
    fails, warns = compiled({"missing": {"threshold": threshold}}, "soda", "email")
    assert (fails.severity, fails.on_violation, fails.params["allowed"]["value"]) == ("error", "block", 9)
    assert (warns.severity, warns.on_violation, warns.params["allowed"]["value"]) == ("warning", "warn", 5)


def test_filters_of_the_contract_and_of_the_check_must_both_hold() -> None:
    assert soda({"row_count": {"filter": "paid"}, "filter": "id > 1"}).where == "(id > 1) AND (paid)"
    metric = {"metric": {"expression": "sum(amount)", "filter": "paid", "threshold": {"must_be": 1}}}
    check = soda(metric)
    assert check.where == ""
    assert check.params["query"] == "SELECT sum(amount) FROM (SELECT * FROM {object} WHERE paid)"


@requirement("DQ-11")
@pytest.mark.parametrize(
    "body",
    [
        {"missing": {"threshold": {"must_be": 0}}, "engine": "soda"},
        {"missing": {"column_expression": "trim(email)"}},
        {"failed_rows": {"keys_query": "SELECT id FROM t"}},
    ],
)
def test_what_only_soda_can_do_is_sodas(body: dict[str, Any]) -> None:
    check = soda(body, "email")
    assert (check.kind, check.engine) == ("custom", "soda")
    (column,) = check.params["native"]["columns"]
    assert column["name"] == "email"
    assert next(iter(column["checks"][0])) in body


@requirement("DQ-08")
def test_the_words_of_odcs_examples_are_understood() -> None:
    body = {"type": "duplicate_percent", "columns": ["id"], "must_be_less_than": 1.0}
    assert soda(body).params["allowed"] == {"op": "mustBeLessThan", "value": 1.0, "unit": "rows"}
    assert soda({"type": "no_missing_values"}, "email").kind == "required"
    assert soda({"type": "row_count", "must_be_greater_than": 10}).params == allowed("mustBeGreaterThan", 10)
    assert soda({"type": "row_count", "min": 10}).params == allowed("mustBeGreaterOrEqualTo", 10)


# --- SodaCL ------------------------------------------------------------------------------------------------------


@requirement("DQ-08", "DQ-11")
@pytest.mark.parametrize(
    ("line", "options", "kind", "params"),
    [
        ("row_count > 0", None, "row_count", allowed("mustBeGreaterThan", 0)),
        ("row_count between 10 and 20", None, "row_count", allowed("mustBeBetween", [10, 20])),
        ("row_count not between 10 and 20", None, "row_count", allowed("mustNotBeBetween", [10, 20])),
        ("missing_count(email) = 0", None, "required", {}),
        ("missing_percent(email) < 5 %", {"missing values": ["-"]}, "required",
         {"missing": ["-"], **allowed("mustBeLessThan", 5, "percent")}),
        ("invalid_count(email) = 0", {"valid format": "email"}, "regex",
         {"pattern": r"^[^@\s]+@[^@\s]+\.[^@\s.]+$"}),
        ("invalid_count(id) < 3", {"valid min": 1, "valid max": 5}, "range",
         {"min": 1, "max": 5, **allowed("mustBeLessThan", 3)}),
        ("invalid_count(state) = 0", {"valid values": ["a"]}, "enum", {"values": ["a"]}),
        ("invalid_count(email) = 0", {"valid regex": "^a"}, "regex", {"pattern": "^a"}),
        ("duplicate_count(id) = 0", None, "uniqueness", {}),
        ("avg(rate) between 1 and 5", None, "aggregate", {"function": "avg", **allowed("mustBeBetween", [1, 5])}),
        ("max_length(email) <= 50", None, "aggregate",
         {"function": "max_length", **allowed("mustBeLessOrEqualTo", 50)}),
        ("freshness(seen) < 1d", None, "freshness", {"max_age_seconds": 86400}),
        ("freshness(seen) < 1d6h", None, "freshness", {"max_age_seconds": 108000}),
        ("failed rows", {"fail condition": "amount < 0"}, "condition",
         {"expression": "NOT coalesce((amount < 0), FALSE)"}),
        ("values in (state) must exist in states (code)", None, "reference", {"table": "states", "to": ["code"]}),
        ("change for row_count < 10%", None, "change", {"metric": "rows", **allowed("mustBeLessThan", 10)}),
        ("change percent for avg(rate) between -5 and 5", None, "change",
         {"metric": "mean(rate)", **allowed("mustBeBetween", [-5, 5])}),
        ("anomaly detection for row_count", None, "anomaly", {"metric": "rows"}),
        ("total > 5", {"total expression": "sum(amount)"}, "sql",
         {"query": "SELECT sum(amount) FROM {object}", **allowed("mustBeGreaterThan", 5)}),
        ("schema", {"fail": {"when required column missing": ["id"]}}, "schema",
         {"names": ["id"], "order": False, "others": True}),
        ("schema", {"warn": {"when wrong column type": {"id": "bigint"}}}, "schema",
         {"names": ["id"], "types": {"id": "long"}, "order": False, "others": True}),
    ],
)  # fmt: skip
def test_sodacl(line: str, options: Any, kind: str, params: dict[str, Any]) -> None:
    check = soda({line: options})
    assert (check.kind, dict(check.params)) == (kind, params)


def test_a_round_bracket_leaves_its_end_out() -> None:
    ops = [check.params["allowed"]["op"] for check in compiled({"row_count between (1 and 5]": None}, "soda")]
    assert ops == ["mustBeGreaterThan", "mustBeLessOrEqualTo"]


def test_alerts_are_checks_that_hold_while_they_are_silent() -> None:
    warns, fails = compiled({"row_count": {"warn": "when < 5", "fail": "when = 0"}}, "soda")
    assert (warns.severity, warns.params) == ("warning", allowed("mustBeGreaterOrEqualTo", 5))
    assert (fails.severity, fails.params) == ("error", allowed("mustNotBe", 0))


def test_a_name_and_a_filter_below_a_line_are_the_checks() -> None:
    check = soda({"row_count > 0": {"name": "Some rows", "filter": "paid"}})
    assert (check.id, check.where) == ("some_rows", "paid")


@pytest.mark.parametrize(
    "line",
    ["change for row_count < 10", "values in (state) must not exist in states (code)", "group by",
     "anomaly detection for missing_count(email)"],
)  # fmt: skip
def test_sodacl_without_an_equal_is_not_evaluated_and_says_so(line: str) -> None:
    assert soda(line).params["not_evaluated"]


@pytest.mark.parametrize(
    ("body", "column", "words"),
    [
        ({"misssing": None}, "email", "did you mean 'missing'"),
        ({"missing": {"threshold": {"must_be_les_than": 1}}}, "email", "did you mean 'must_be_less_than'"),
        ({"missing": {"threshold": {"must_be": 1, "must_be_less_than": 2}}}, "email", "one operator"),
        ({"missing": {"threshold": {"must_be": 0, "level": "panic"}}}, "email", "level: 'panic' is unknown"),
        ({"missing": None}, "emial", "did you mean 'email'"),
        ({"invalid": None}, "email", "which values are valid"),
        ({"invalid": {"valid_format": "email"}}, "email", "no regular expression"),
        ({"aggregate": {"function": "average", "threshold": {"must_be": 1}}}, "rate", "function: 'average'"),
        ({"aggregate": {"function": "avg"}}, "rate", "has no threshold"),
        ({"freshness": {"column": "seen", "threshold": {"must_be_greater_than": 1}}}, "", "no upper bound"),
        ({"failed_rows": None}, "", "needs expression or query"),
        ({"row_count": "many"}, "", "must be a mapping"),
        ({"invalid_count(email) = 0": {"valid format": "e-mail"}}, "", "format 'e-mail' is unknown"),
        ({"freshness(seen) < 1y": None}, "", "no unit of time"),
        ({"row_count": {"warn": "when few"}}, "", "is no alert"),
        ({"missing_count > 0": None}, "", "needs a column"),
    ],
)
def test_what_is_wrong_with_a_check_of_soda_is_said(body: dict[str, Any], column: str, words: str) -> None:
    assert words in refused(body, "soda", column)
