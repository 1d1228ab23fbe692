"""Rules of every language become the same checks, and what is wrong with one is said where it stands."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from dativo_provider.model.checks import Rule
from dativo_provider.model.handling import Handling
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends.compile import advice, compile_rules
from dativo_provider.quality.frontends.links import BROKEN
from tests.quality.compiling import FIELDS, allowed, compiled, one, refused
from tests.support import requirement

# --- the schema's own checks -------------------------------------------------------------------------------------


@requirement("DQ-03", "CFG-08")
@pytest.mark.parametrize(
    ("mode", "policies"),
    [
        ("quarantine", {"id.type": "quarantine", "id.required": "quarantine", "email.type": "quarantine"}),
        ("strict", {"id.type": "block", "id.required": "block", "email.type": "block"}),
        ("warn", {"id.type": "quarantine", "id.required": "quarantine", "email.type": "warn"}),
    ],
)
def test_every_column_has_a_type_check_and_required_ones_a_second(mode: Any, policies: dict[str, str]) -> None:
    checks = {c.id: c for c in compile_rules([], FIELDS, schema_validation=mode)}
    assert {name: checks[name].on_violation for name in policies} == policies
    assert [c for c in checks if c.endswith(".required")] == ["id.required"]
    assert len(checks) == len(FIELDS) + 1


# --- inline ------------------------------------------------------------------------------------------------------


@requirement("DQ-06", "DQ-07")
@pytest.mark.parametrize(
    ("body", "kind", "columns", "params"),
    [
        ({"type": "null_check", "column": "email"}, "required", ("email",), {}),
        ({"type": "not_null", "field": "email"}, "required", ("email",), {}),
        ({"type": "required", "columns": ["email"]}, "required", ("email",), {}),
        ({"type": "unique", "column": "id"}, "uniqueness", ("id",), {}),
        ({"type": "uniqueness", "columns": ["id", "state"]}, "uniqueness", ("id", "state"), {}),
        ({"type": "unique_check", "field": "id"}, "uniqueness", ("id",), {}),
        ({"type": "range", "field": "amount", "min": 0, "max": 9.5}, "range", ("amount",), {"min": 0, "max": 9.5}),
        ({"type": "range_check", "column": "id", "exclusive_min": 0}, "range", ("id",), {"exclusive_min": 0}),
        ({"type": "range", "column": "born", "min": "1900-01-01"}, "range", ("born",), {"min": "1900-01-01"}),
        (
            {"type": "range", "column": "seen", "max": "2030-01-01"},
            "range",
            ("seen",),
            {"max": "2030-01-01T00:00:00+00:00"},
        ),
        ({"type": "length", "column": "email", "min": 3}, "length", ("email",), {"min": 3}),
        ({"type": "length", "column": "tags", "max_length": 3}, "length", ("tags",), {"max": 3}),
        ({"type": "regex", "column": "email", "pattern": "@"}, "regex", ("email",), {"pattern": "@"}),
        (
            {"type": "pattern", "column": "email", "regex": "x", "negate": True},
            "regex",
            ("email",),
            {"pattern": "x", "negate": True},
        ),
        ({"type": "enum", "column": "state", "values": ["A", 1]}, "enum", ("state",), {"values": ["A", "1"]}),
        ({"type": "values", "column": "paid", "enum": [True]}, "enum", ("paid",), {"values": [True]}),
        ({"type": "values", "column": "key", "values": ["AB"]}, "enum", ("key",), {"values": ["ab"]}),
        (
            {"type": "freshness", "column": "seen", "max_age_hours": 2},
            "freshness",
            ("seen",),
            {"max_age_seconds": 7200},
        ),
        ({"type": "row_count", "min": 1}, "row_count", (), allowed("mustBeGreaterOrEqualTo", 1)),
        ({"type": "row_count", "max": 9}, "row_count", (), allowed("mustBeLessOrEqualTo", 9)),
        ({"type": "row_count", "min": 1, "max": 9}, "row_count", (), allowed("mustBeBetween", [1, 9])),
    ],
)
def test_inline_checks_in_all_their_spellings(body: dict[str, Any], kind: str, columns: Any, params: Any) -> None:
    check = one(body)
    assert (check.kind, check.columns, dict(check.params)) == (kind, columns, params)
    assert check.scope == ("dataset" if kind in ("uniqueness", "freshness", "row_count") else "row")


def test_several_columns_make_several_row_checks_with_ids_of_their_own() -> None:
    checks = compiled({"type": "not_null", "columns": ["email", "state"]})
    assert [c.id for c in checks] == ["email.not_null", "state.not_null"]
    named = compiled({"type": "not_null", "name": "No Gaps!", "columns": ["email", "state"]})
    assert [c.id for c in named] == ["no_gaps", "no_gaps.2"]
    assert named[0].name == "No Gaps!"


def test_column_names_are_taken_in_any_case() -> None:
    assert one({"type": "not_null", "column": "EMAIL"}).columns == ("email",)


@requirement("DQ-06", "CFG-10")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"type": "rnage", "column": "id", "min": 1}, "did you mean 'range'"),
        ({"column": "id"}, "type '' is unknown"),
        ({"type": "range", "column": "id", "minimum": 1}, "unknown key 'minimum'"),
        ({"type": "range", "column": "amuont", "min": 1}, "did you mean 'amount'"),
        ({"type": "range", "min": 1}, "needs a column"),
        ({"type": "range", "column": "id"}, "needs a bound"),
        ({"type": "range", "column": "id", "min": "abc"}, "'abc' is no long"),
        ({"type": "range", "column": "id", "min": True}, "True is no long"),
        ({"type": "range", "column": "rate", "min": float("inf")}, "inf is no double"),
        ({"type": "range", "column": "born", "min": "yesterday"}, "is no date"),
        ({"type": "range", "column": "email", "min": 3.5}, "3.5 is no string"),
        ({"type": "range", "column": "id", "min": 5, "max": 4}, "above the upper bound"),
        ({"type": "range", "column": "paid", "min": 1}, "cannot look at 'paid', which is boolean"),
        ({"type": "regex", "column": "id", "pattern": "x"}, "cannot look at 'id', which is long"),
        ({"type": "regex", "column": "email", "pattern": 5}, "no regular expression"),
        ({"type": "length", "column": "email", "min": -1}, "-1 is no length"),
        ({"type": "length", "column": "email"}, "needs a bound"),
        ({"type": "enum", "column": "state", "values": "A"}, "needs a list of values"),
        ({"type": "enum", "column": "state", "values": [True]}, "quote it"),
        ({"type": "freshness", "column": "seen"}, "max_age_hours: None"),
        ({"type": "freshness", "column": "id", "max_age_hours": 1}, "cannot look at 'id'"),
        ({"type": "row_count"}, "needs min or max"),
        ({"type": "not_null", "column": 5}, "a column name is expected"),
        ({"type": "not_null", "column": "id", "severity": "eror"}, "did you mean 'error'"),
        ({"type": "not_null", "column": "id", "on_violation": "explode"}, "on_violation: 'explode' is unknown"),
        ({"type": "row_count", "min": 1, "on_violation": "quarantine"}, "needs a check of single rows"),
        ({"type": "not_null", "column": "id", "tolerance": 2}, "no share of rows"),
    ],
)
def test_what_is_wrong_with_a_check_is_said_with_its_place_and_a_remedy(body: dict[str, Any], words: str) -> None:
    assert words in refused(body)


@requirement("SN-01", "DQ-06")
def test_a_regex_without_field_or_pattern_loads_warns_and_is_never_passed() -> None:
    check = one({"name": "tidy", "type": "regex", "severity": "warning"}, fields=())
    assert check.scope == "dataset"
    assert check.params["not_evaluated"] == "a regex check without field and pattern looks at nothing"
    ((where, sentence),) = advice([check])
    assert where == "orders.odcs.yaml:12:9"
    assert "tidy" in sentence
    assert "without pattern" in one({"type": "regex", "column": "email"}).params["not_evaluated"]


@requirement("SN-01")
def test_a_check_of_links_looks_at_the_documents_where_it_is_clear_which_they_are() -> None:
    body = {"name": "no_broken_links", "type": "regex", "severity": "warning"}
    documents = (Field("doc_id"), Field("title"), Field("raw_md"))
    check = one(body, fields=documents)
    assert (check.columns, check.scope, check.on_violation) == (("raw_md",), "row", "warn")
    assert one(body, fields=(Field("id", "long"), Field("page"))).columns == ("page",)
    assert one({**body, "field": "title"}, fields=documents).columns == ("title",)
    assert "not clear" in one(body, fields=documents[:2]).params["not_evaluated"]
    assert "not clear" in one(body, fields=()).params["not_evaluated"]


@requirement("SN-01")
@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("see [the guide](https://x.org/guide)", False),
        ("[anchor](#chapter) and ![](pic.png)", False),
        ("see [the guide]()", True),
        ("[top]( # )", True),
        ("[x](http://)", True),
        ("[x](https:/x.org)", True),
        ('<a href="https://x.org">x</a> <img src="a.png">', False),
        ('<a HREF="">x</a>', True),
        ("<a href='#'>x</a>", True),
        ("no link at all", False),
    ],
)
def test_links_that_lead_nowhere_are_found(text: str, broken: bool) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    assert pc.match_substring_regex(pa.array([text]), BROKEN).to_pylist() == [broken]


@requirement("SN-01", "DQ-19")
def test_the_article_checks_of_the_first_snippet_compile_as_written() -> None:
    bodies: list[dict[str, Any]] = [
        {"name": "no_broken_links", "type": "regex", "severity": "warning"},
        {"name": "min_article_length", "type": "range", "field": "content_length", "min": 100, "severity": "error"},
        {"name": "freshness_check", "type": "freshness", "max_age_hours": 24, "severity": "error"},
    ]
    fields = (Field("doc_id"), Field("content_length", "long"), Field("updated_at", "timestamptz"))
    for known in ((), fields):
        checks = [c for c in compile_rules([Rule("inline", b) for b in bodies], known) if not c.id.endswith(".type")]
        assert [c.id for c in checks] == ["no_broken_links", "min_article_length", "freshness_check"]
        assert [c.on_violation for c in checks] == ["warn", "quarantine", "warn"]
    assert checks[2].columns == ("updated_at",)


@requirement("SN-02", "DQ-08", "DQ-19")
def test_the_billing_checks_of_the_second_snippet_compile_as_written() -> None:
    soda: list[dict[str, Any]] = [
        {"name": "no_duplicate_charges", "type": "uniqueness", "columns": ["line_item_id"], "severity": "error"},
        {
            "name": "cost_range_check",
            "type": "range",
            "column": "unblended_cost",
            "min": 0,
            "max": 100000,
            "severity": "warning",
        },
        {
            "name": "billing_completeness",
            "type": "freshness",
            "column": "billing_period_end",
            "max_age_hours": 2,
            "severity": "error",
        },
    ]
    custom = {
        "name": "detect_cost_anomalies",
        "function": "ml_anomaly_detection",
        "description": "ML-based anomaly detection (>3 std dev)",
        "severity": "warning",
    }
    rules = [*(Rule("soda", body) for body in soda), Rule("custom", custom)]
    fields = (Field("line_item_id"), Field("unblended_cost", "double"), Field("billing_period_end", "timestamptz"))
    checks = {c.id: c for c in compile_rules(rules, fields)}
    assert checks["no_duplicate_charges"].on_violation == "quarantine"
    assert checks["cost_range_check"].on_violation == "warn"
    assert checks["billing_completeness"].params["max_age_seconds"] == 7200
    assert checks["detect_cost_anomalies"].kind == "anomaly"
    assert checks["detect_cost_anomalies"].on_violation == "warn"


def test_freshness_without_a_column_takes_the_cursor_or_the_only_moment_and_else_says_so() -> None:
    body = {"type": "freshness", "max_age_hours": 1}
    two = (Field("a", "timestamptz"), Field("b", "timestamp", timezone="Asia/Tokyo"))
    assert one(body, fields=two, cursor_field="b").columns == ("b",)
    assert one(body, fields=two, cursor_field="b").params["timezone"] == "Asia/Tokyo"
    assert one(body, fields=two[:1]).columns == ("a",)
    assert "not clear" in one(body, fields=two).params["not_evaluated"]


# --- policies ----------------------------------------------------------------------------------------------------

ROW = {"type": "range", "column": "id", "min": 1}
DATASET = {"type": "row_count", "min": 1}
UNIQUE = {"type": "unique", "column": "id"}
FRESH = {"type": "freshness", "column": "seen", "max_age_hours": 1}


@requirement("DQ-04")
@pytest.mark.parametrize(
    ("body", "severity", "policy"),
    [
        (ROW, "error", "quarantine"),
        (ROW, "warning", "warn"),
        (ROW, "info", "warn"),
        ({**ROW, "tolerance": 0.1}, "error", "block"),
        ({**ROW, "tolerance": 0.1}, "warning", "warn"),
        (DATASET, "error", "block"),
        (DATASET, "warning", "warn"),
        (UNIQUE, "error", "quarantine"),
        ({**UNIQUE, "tolerance": 0.1}, "error", "block"),
        (UNIQUE, "warning", "warn"),
        (FRESH, "error", "warn"),
        (FRESH, "warning", "warn"),
        ({**FRESH, "on_violation": "block"}, "error", "block"),
        ({**ROW, "on_violation": "block"}, "error", "block"),
        ({**ROW, "on_violation": "warn"}, "error", "warn"),
        ({**ROW, "on_violation": "quarantine"}, "warning", "quarantine"),
        ({**DATASET, "on_violation": "warn"}, "error", "warn"),
    ],
)
def test_what_a_violation_does_follows_severity_and_scope_unless_written(
    body: dict[str, Any], severity: str, policy: str
) -> None:
    check = one({**body, "severity": severity})
    assert (check.severity, check.on_violation) == (severity, policy)


@requirement("DQ-04")
def test_a_freshness_check_that_is_told_to_warn_fails_no_run() -> None:
    assert one({**FRESH, "on_violation": "warn"}).severity == "warning"
    assert one(FRESH).severity == "error"


@requirement("DQ-04", "CFG-08")
def test_enforcement_warns_or_skips_written_checks_but_never_the_schema() -> None:
    for body in (ROW, DATASET, FRESH):
        assert one(body, enforcement="warn").on_violation == "warn"
        skipped = one(body, enforcement="disabled")
        assert (skipped.scope, skipped.params["skipped"]) == ("dataset", "the contract's enforcement is disabled")
    assert one(FRESH, enforcement="warn").severity == "warning"
    assert all(c.on_violation == "quarantine" for c in compile_rules([], FIELDS, "disabled"))


@requirement("DQ-07")
def test_a_condition_on_rows_names_columns_that_exist() -> None:
    check = one({**ROW, "where": "PAID and lower(state) = 'de'"})
    assert (check.scope, check.where) == ("row", "PAID and lower(state) = 'de'")
    assert check.params["reads"] == ["paid", "state"]
    assert "did you mean 'paid'" in refused({**ROW, "where": "pade"})
    assert "no SQL expression" in refused({**ROW, "where": "paid and"})
    assert "its own row" in refused({**ROW, "filter": "id > (SELECT 1)"})


# --- ODCS --------------------------------------------------------------------------------------------------------


@requirement("DQ-06", "CFG-04")
@pytest.mark.parametrize(
    ("body", "kind", "params"),
    [
        ({"metric": "nullValues", "mustBe": 0}, "required", {}),
        ({"metric": "nullValues", "mustBeLessThan": 1}, "required", {}),
        ({"rule": "nullCheck"}, "required", {}),
        (
            {"metric": "nullValues", "mustBeLessThan": 1, "unit": "percent"},
            "required",
            allowed("mustBeLessThan", 1, "percent"),
        ),
        (
            {"metric": "missingValues", "arguments": {"missingValues": [None, "", "n/a"]}, "mustBe": 0},
            "required",
            {"missing": ["", "n/a"]},
        ),
        (
            {"metric": "invalidValues", "arguments": {"validValues": ["a", "b"]}, "mustBe": 0},
            "enum",
            {"values": ["a", "b"]},
        ),
        (
            {"rule": "validValues", "validValues": ["a"], "mustBeLessOrEqualTo": 3},
            "enum",
            {"values": ["a"], **allowed("mustBeLessOrEqualTo", 3)},
        ),
        ({"metric": "invalidValues", "arguments": {"pattern": "@"}, "mustBe": 0}, "regex", {"pattern": "@"}),
        (
            {"metric": "invalidValues", "arguments": {"minLength": 1, "maxLength": 3}, "mustBe": 0},
            "length",
            {"min": 1, "max": 3},
        ),
        ({"metric": "duplicateValues", "mustBe": 0}, "uniqueness", {}),
        ({"rule": "duplicateCount", "mustBeLessThan": 10}, "uniqueness", allowed("mustBeLessThan", 10)),
    ],
)
def test_library_rules_below_a_column(body: dict[str, Any], kind: str, params: dict[str, Any]) -> None:
    check = one(body, "odcs", "email")
    assert (check.kind, check.columns, dict(check.params)) == (kind, ("email",), params)


def test_a_library_rule_about_the_whole_object_names_its_columns() -> None:
    body = {"type": "library", "metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["id", "state"]}}
    assert one(body, "odcs").columns == ("id", "state")
    assert one({"metric": "rowCount", "mustBeBetween": [1, 5]}, "odcs").params["allowed"]["value"] == [1, 5]
    both = {"metric": "invalidValues", "arguments": {"pattern": "a", "minimum": 1, "maximum": 3}, "mustBe": 0}
    assert [c.kind for c in compiled({**both, "arguments": {"minimum": 1}}, "odcs", "id")] == ["range"]


@requirement("DQ-04")
def test_a_count_with_tolerance_decides_over_the_run_and_not_over_rows() -> None:
    check = one({"metric": "nullValues", "mustBeLessThan": 5, "unit": "percent"}, "odcs", "email")
    assert (check.scope, check.on_violation) == ("row", "block")
    vendor = {
        "metric": "nullValues",
        "mustBe": 0,
        "customProperties": [{"property": "dativo.onViolation", "value": "warn"}],
    }
    assert one(vendor, "odcs", "email").on_violation == "warn"


@requirement("DQ-11")
def test_text_is_documentation_and_sql_gives_one_number() -> None:
    text = one({"type": "text", "description": "reviewed monthly"}, "odcs", "email")
    assert (text.kind, text.scope, text.description) == ("text", "dataset", "reviewed monthly")
    assert one({"description": "no type at all"}, "odcs").kind == "text"
    query = "SELECT count(*) FROM ${table} WHERE {property} < 0"
    sql = one({"type": "sql", "query": query, "mustBe": 0}, "odcs", "amount")
    assert (sql.kind, sql.columns, sql.params["allowed"]["op"]) == ("sql", ("amount",), "mustBe")
    assert sql.params["query"] == 'SELECT count(*) FROM {object} WHERE "amount" < 0'


@requirement("DQ-01")
def test_rules_of_3_0_are_called_anything_and_those_that_nothing_evaluates_never_pass() -> None:
    ends = [{"property": "min", "value": 0}, {"property": "max", "value": 500}]
    between = one({"type": "library", "rule": "between", "customProperties": ends}, "odcs", "rate")
    assert (between.kind, dict(between.params)) == ("range", {"min": 0, "max": 500})
    foreign = one({"type": "library", "rule": "countCheck", "severity": "error"}, "odcs")
    assert "countCheck" in foreign.params["not_evaluated"]
    assert "did you mean" in refused({"type": "library", "rule": "rowCuont", "mustBe": 1}, "odcs")


def test_a_query_with_a_variable_that_nothing_fills_in_is_not_evaluated() -> None:
    query = "SELECT count(*) FROM {object} WHERE seen > ${CUTOFF:-now()}"
    check = one({"type": "sql", "query": query, "mustBe": 0}, "odcs")
    assert "${CUTOFF:-now()}" in check.params["not_evaluated"]


@pytest.mark.parametrize(
    ("body", "column", "words"),
    [
        ({"metric": "nullValeus", "mustBe": 0}, "email", "did you mean 'nullValues'"),
        ({"metric": "nullValues", "mustBeLesThan": 1}, "email", "did you mean 'mustBeLessThan'"),
        ({"metric": "nullValues", "mustBeGreaterThan": 1, "mustBeLessThan": 3}, "email", "two operators"),
        ({"metric": "nullValues", "mustBe": "none"}, "email", "is no number"),
        ({"metric": "rowCount", "mustBeBetween": [5, 1]}, "", "two numbers in order"),
        ({"metric": "rowCount"}, "", "has no operator"),
        ({"metric": "rowCount", "mustBe": 1, "unit": "percent"}, "", "no percentage"),
        ({"metric": "nullValues", "mustBe": 0, "unit": "share"}, "email", "unit: 'share' is unknown"),
        ({"metric": "nullValues", "mustBe": 0}, "", "under no column"),
        ({"metric": "duplicateValues", "mustBe": 0}, "", "names no column"),
        ({"metric": "invalidValues", "mustBe": 0, "pattern": "x"}, "email", "indent pattern"),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": "a"}}, "email", "a list of values"),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": 1}}, "email", "no regular expression"),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": []}, "email", "name neither validValues"),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": ["a"]}, "email", "must be a mapping"),
        ({"type": "sequel"}, "email", "type 'sequel' is unknown"),
        ({"type": "sql", "query": "SELECT 1"}, "email", "has no operator"),
        ({"type": "sql", "mustBe": 1}, "email", "needs a query"),
        ({"metric": "freshness", "mustBe": 1}, "seen", "no upper bound"),
        ({"metric": "freshness", "mustBeLessThan": 1, "unit": "parsecs"}, "seen", "no unit of time"),
    ],
)
def test_a_library_rule_that_would_do_nothing_is_an_error(body: dict[str, Any], column: str, words: str) -> None:
    assert words in refused(body, "odcs", column)


@requirement("CFG-04", "DQ-06")
def test_logical_type_options_become_checks_in_either_version() -> None:
    assert one({"minimum": 1, "exclusiveMinimum": True}, "odcs-options", "id").params == {"exclusive_min": 1}
    assert one({"minimum": 1, "exclusiveMaximum": 9}, "odcs-options", "id").params == {"min": 1, "exclusive_max": 9}
    assert one({"maximum": 3, "exclusiveMaximum": False}, "odcs-options", "id").params == {"max": 3}
    assert one({"minItems": 1}, "odcs-options", "tags").params == {"min": 1}
    checks = compiled(
        {"minLength": 1, "pattern": "a", "enum": ["a", {"value": "b"}], "unique": True}, "odcs-options", "email"
    )
    assert [c.id for c in checks] == ["email.length", "email.regex", "email.enum", "email.unique"]
    assert checks[2].params["values"] == ["a", "b"]
    assert one({"format": "email"}, "odcs-options", "email").id == "email.format"
    assert "no format 'iban'" in one({"format": "iban"}, "odcs-options", "email").params["not_evaluated"]
    assert compiled({"format": "yyyy-MM-dd"}, "odcs-options", "born") == []
    assert "multipleOf" in one({"multipleOf": 5}, "odcs-options", "id").params["not_evaluated"]
    assert compiled({"required": True}, "odcs-options", "id") == []
    assert one({"required": True}, "odcs-options", "email").kind == "required"
    assert "without minimum" in refused({"exclusiveMinimum": True}, "odcs-options", "id")
    assert "must be a list" in refused({"enum": "a"}, "odcs-options", "email")


# --- functions -----------------------------------------------------------------------------------------------------


def test_custom_checks_need_a_function_and_unknown_languages_are_refused() -> None:
    assert "needs a function" in refused({"name": "x"}, "custom")
    assert "checks in 'dbt' are unknown" in refused({"name": "x"}, "dbt")


def test_ids_do_not_change_when_other_rules_come_and_go() -> None:
    rules = [Rule("inline", {"type": "not_null", "column": c}) for c in ("email", "state")]
    ids = [c.id for c in compile_rules(rules, FIELDS)]
    assert [c.id for c in compile_rules(rules[1:], FIELDS)] == [i for i in ids if i != "email.not_null"]
    assert len(set(ids)) == len(ids)


def test_the_front_ends_load_no_heavy_library() -> None:
    code = (
        "import sys, dativo_provider.quality.frontends;"
        "print(sorted({'pyarrow', 'duckdb', 'pandas', 'numpy', 'airflow'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@requirement("DQ-04")
@pytest.mark.parametrize(
    ("body", "handling", "expected"),
    [
        ({"type": "range", "column": "id", "min": 0}, Handling(by_severity={"error": "block"}), "block"),
        ({"type": "range", "column": "id", "min": 0}, Handling(by_dimension={"conformity": "warn"}), "warn"),
        (
            {"type": "range", "column": "id", "min": 0, "dimension": "Accuracy"},
            Handling(by_severity={"error": "warn"}, by_dimension={"accuracy": "block"}),
            "block",
        ),
        (
            {"type": "range", "column": "id", "min": 0, "severity": "warning"},
            Handling(by_severity={"warning": "quarantine"}),
            "quarantine",
        ),
        (
            {"type": "range", "column": "id", "min": 0, "on_violation": "quarantine"},
            Handling(by_severity={"error": "block"}, by_dimension={"conformity": "warn"}),
            "quarantine",
        ),
        ({"type": "row_count", "min": 1}, Handling(by_severity={"error": "quarantine"}), "block"),
        ({"type": "unique", "column": "id"}, Handling(by_severity={"error": "quarantine"}), "quarantine"),
        ({"type": "unique", "column": "id"}, Handling(by_severity={"error": "block"}), "block"),
        ({"type": "unique", "column": "id"}, Handling(by_dimension={"uniqueness": "warn"}), "warn"),
    ],
)
def test_a_check_that_says_nothing_does_what_its_dimension_or_severity_does(
    body: dict[str, Any], handling: Handling, expected: str
) -> None:
    assert compile_rules([Rule("inline", body)], FIELDS, handling=handling)[-1].on_violation == expected
