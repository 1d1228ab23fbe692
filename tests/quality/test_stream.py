"""Row checks: the masks equal a slow evaluation value by value, and only what is wrong is set aside."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec, Rule
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.quality.probes import lint_patterns
from dativo_provider.quality.stream import RowChecks, RowVerdict
from tests.support import requirement


def checks_of(bodies: list[dict[str, Any]], *fields: Field, **options: Any) -> list[CheckSpec]:
    compiled = compile_rules([Rule("inline", body, declared_in="c.yaml:3:5") for body in bodies], fields, **options)
    return [check for check in compiled if check.declared_in]


def run(
    bodies: list[dict[str, Any]], column: list[Any], type: str, failed: list[bool] | None = None
) -> tuple[RowChecks, RowVerdict]:
    values = pa.array(column, to_arrow(type))
    checks = RowChecks(checks_of(bodies, Field("v", type)), pa.schema([("v", values.type)]))
    failures = {} if failed is None else {"v": pa.array(failed)}
    return checks, checks.evaluate(pa.record_batch({"v": values}), failures)


def bad(body: dict[str, Any], column: list[Any], type: str = "string") -> list[bool]:
    verdict = run([{"column": "v", **body}], column, type)[1]
    return [False] * len(column) if verdict.bad is None else verdict.bad.to_pylist()


# --- the kinds, at their edges -----------------------------------------------------------------------------------


@requirement("DQ-06", "DQ-07", "DQ-19")
@pytest.mark.parametrize(
    ("type", "bounds", "values", "wrong"),
    [
        ("long", {"min": 1, "max": 3}, [0, 1, 3, 4, None], [True, False, False, True, False]),
        ("long", {"exclusive_min": 1, "exclusive_max": 3}, [1, 2, 3], [True, False, True]),
        ("long", {"min": 1, "exclusive_min": 1}, [1, 2], [True, False]),
        ("long", {"min": 0.5, "max": 2.5}, [0, 1, 2, 3], [True, False, False, True]),
        ("long", {"exclusive_min": 0.5}, [0, 1], [True, False]),
        ("long", {"min": "-9223372036854775808"}, [-(2**63), 0], [False, False]),
        ("long", {"min": "9223372036854775808"}, [2**63 - 1, None], [True, False]),
        ("long", {"exclusive_min": 2**63 - 1}, [2**63 - 1], [True]),
        ("long", {"max": "-1e30"}, [-(2**63)], [True]),
        ("long", {"max": 1e300}, [2**63 - 1], [False]),
        ("decimal(6,2)", {"min": 0.105, "max": "9999.99"}, [Decimal("0.10"), Decimal("0.11")], [True, False]),
        ("decimal(6,2)", {"exclusive_max": 0.1}, [Decimal("0.09"), Decimal("0.10")], [False, True]),
        ("decimal(38,0)", {"min": "1" + "0" * 37}, [Decimal("9" * 37), Decimal("1" + "0" * 37)], [True, False]),
        ("decimal(38,0)", {"min": "1" + "0" * 38}, [Decimal("9" * 38)], [True]),
        ("double", {"min": 0}, [-0.0, -1e-300, 1.0, math.nan, math.inf], [False, True, False, True, False]),
        ("double", {"exclusive_min": 0}, [-0.0, 1e-300], [True, False]),
        ("double", {"max": 1}, [math.nan, None], [True, False]),
        ("float", {"max": 0.5}, [0.5, 0.75], [False, True]),
        ("date", {"min": "2024-01-01"}, [dt.date(2023, 12, 31), dt.date(2024, 1, 1)], [True, False]),
        ("time", {"max": "12:00"}, [dt.time(12), dt.time(12, 0, 0, 1)], [False, True]),
        (
            "timestamp",
            {"exclusive_max": "2024-01-01"},
            [dt.datetime(2024, 1, 1), dt.datetime(2023, 1, 1)],
            [True, False],
        ),
        (
            "timestamptz",
            {"min": "2024-01-01T01:00:00+01:00"},
            [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2023, 12, 31, 23, 59, tzinfo=dt.UTC)],
            [False, True],
        ),
        ("string", {"min": "b"}, ["a", "b", "ba"], [True, False, False]),
    ],
)
def test_ranges_are_exact_at_their_ends(
    type: str, bounds: dict[str, Any], values: list[Any], wrong: list[bool]
) -> None:
    assert bad({"type": "range", **bounds}, values, type) == wrong


@requirement("DQ-06")
def test_lengths_count_characters_bytes_and_members() -> None:
    assert bad({"type": "length", "max": 3}, ["äöü", "äöüß", "", None]) == [False, True, False, False]
    assert bad({"type": "length", "min": 2}, ["ä", "ab", "😀"]) == [True, False, True]
    assert bad({"type": "length", "min": 1}, ["", "a"]) == [True, False]
    assert bad({"type": "length", "max": 1}, [b"\xc3\xa4", b"a"], "binary") == [True, False]
    assert bad({"type": "length", "min": 1, "max": 2}, [[], [1], [1, 2, 3], None], "list<long>") == [
        True,
        False,
        True,
        False,
    ]
    maps = [{"a": 1}, {}, None, {"a": 1, "b": 2}]
    assert bad({"type": "length", "min": 1, "max": 1}, maps, "map<string,long>") == [False, True, False, True]


@requirement("DQ-06", "DQ-19")
def test_a_pattern_is_searched_for_and_anchors_make_it_whole() -> None:
    assert bad({"type": "regex", "pattern": "b+"}, ["abc", "ac", None]) == [False, True, False]
    assert bad({"type": "regex", "pattern": "^b+$"}, ["abc", "bb"]) == [True, False]
    assert bad({"type": "regex", "pattern": "http://", "negate": True}, ["see http://x", "no link"]) == [True, False]


def test_repeated_text_is_matched_once_per_value_with_the_same_answer() -> None:
    column = ["ok", "bad!", None, "fine"] * 2000
    assert bad({"type": "regex", "pattern": "^[a-z]+$"}, column) == [False, True, False, False] * 2000
    assert bad({"type": "regex", "pattern": "."}, column) == [False] * 8000
    mostly_distinct_later = ["x"] * 4000 + [str(n) for n in range(8000)]
    assert sum(bad({"type": "regex", "pattern": "^[0-9]+$"}, mostly_distinct_later)) == 4000


@requirement("DQ-06")
def test_enums_compare_in_the_columns_type() -> None:
    assert bad({"type": "enum", "values": ["a", None]}, ["a", "b", None]) == [False, True, False]
    assert bad({"type": "enum", "values": [1, 2.0, 2.5]}, [1, 2, 3], "long") == [False, False, True]
    assert bad({"type": "enum", "values": ["0.10"]}, [Decimal("0.1"), Decimal("0.2")], "decimal(3,2)") == [False, True]
    assert bad({"type": "enum", "values": [True]}, [True, False], "boolean") == [False, True]
    assert bad({"type": "enum", "values": ["2024-01-01"]}, [dt.date(2024, 1, 1), dt.date(2024, 1, 2)], "date") == [
        False,
        True,
    ]


@requirement("DQ-06")
def test_only_required_minds_null_and_a_failed_cast_is_not_missing() -> None:
    checks, verdict = run([{"type": "not_null", "column": "v"}], [None, None, 1], "long", [True, False, False])
    assert verdict.bad.to_pylist() == [False, True, False]
    assert checks.results()[0].failed == 1
    rule = Rule(
        "odcs", {"metric": "missingValues", "arguments": {"missingValues": [None, "n/a"]}, "mustBe": 0}, "v", "x"
    )
    spec = compile_rules([rule], [Field("v")])[-1]
    missing = RowChecks([spec], pa.schema([("v", pa.string())]))
    assert missing.evaluate(pa.record_batch({"v": ["n/a", None, "a"]}), {}).bad.to_pylist() == [True, True, False]


@requirement("DQ-03")
def test_a_value_that_could_not_be_cast_fails_its_type_check() -> None:
    checks = RowChecks(compile_rules([], [Field("v", "long")]), pa.schema([("v", pa.int64())]))
    batch = pa.record_batch({"v": pa.array([None, 1], pa.int64())})
    verdict = checks.evaluate(batch, {"v": pa.array([True, False])})
    assert (verdict.bad.to_pylist(), verdict.reasons) == ([True, False], [["v.type"]])
    assert checks.evaluate(batch, {}).bad is None


# --- the machine -------------------------------------------------------------------------------------------------


@requirement("QUA-01", "QUA-02", "DQ-04", "ING-04")
def test_reasons_name_what_sets_a_row_aside_and_warnings_only_count() -> None:
    bodies = [
        {"name": "low", "type": "range", "column": "v", "min": 0},
        {"name": "odd", "type": "enum", "column": "v", "values": [-1, 0, 2]},
        {"name": "soft", "type": "range", "column": "v", "max": 1, "severity": "warning"},
    ]
    checks, verdict = run(bodies, [-5, 0, 1, 2], "long")
    assert verdict.bad.to_pylist() == [True, False, True, False]
    assert verdict.reasons == [["low", "odd"], ["odd"]]
    assert [(r.check_id, r.outcome, r.evaluated, r.failed) for r in checks.results()] == [
        ("low", "failed", 4, 1),
        ("odd", "failed", 4, 2),
        ("soft", "failed", 4, 1),
    ]
    assert [mask.to_pylist() for mask in verdict.masks] == [[0b011, 0, 0b010, 0b100]]


@requirement("DQ-04")
@pytest.mark.parametrize(("policy", "aside"), [("quarantine", True), ("block", True), ("warn", False)])
def test_blocking_checks_set_aside_too_so_that_the_rows_can_be_looked_at(policy: str, aside: bool) -> None:
    body = {"type": "range", "column": "v", "min": 0, "on_violation": policy}
    assert (run([body], [-1], "long")[1].bad is not None) is aside


@requirement("DQ-04")
def test_a_check_with_tolerance_counts_and_sets_nothing_aside() -> None:
    checks, verdict = run([{"type": "range", "column": "v", "min": 0, "tolerance": 0.5}], [-1, 1], "long")
    assert verdict.bad is None
    assert checks.results()[0].failed == 1


def test_more_than_sixty_four_checks_take_another_mask() -> None:
    bodies = [{"name": f"c{n}", "type": "enum", "column": "v", "values": [n]} for n in range(70)]
    verdict = run(bodies, [3, 68], "long")[1]
    first, second = (mask.to_pylist() for mask in verdict.masks)
    everything, six = 2**64 - 1, 2**6 - 1
    assert first == [everything ^ (1 << 3), everything]
    assert second == [six, six ^ (1 << 4)]
    assert len(verdict.reasons[0]) == 69


def test_counts_add_up_over_batches_and_no_rows_are_no_proof() -> None:
    checks = RowChecks(checks_of([{"type": "not_null", "column": "v"}], Field("v")), pa.schema([("v", pa.string())]))
    assert checks.results()[0].outcome == "skipped"
    for values in (["a"], [None, "b"], []):
        checks.evaluate(pa.record_batch({"v": pa.array(values, pa.string())}), {})
    (result,) = checks.results()
    assert (result.outcome, result.evaluated, result.failed, result.evaluated_by) == ("failed", 3, 1, "stream")


def test_results_hold_no_row_value() -> None:
    checks, _ = run([{"type": "enum", "column": "v", "values": ["a"]}], ["secret@example.org"], "string")
    assert "secret" not in repr(checks.results())


def test_a_check_of_a_column_that_is_not_there_is_an_error_and_never_passes() -> None:
    spec = CheckSpec("x", "x", "range", columns=("gone",), params={"min": 1})
    checks = RowChecks([spec], pa.schema([("v", pa.int64())]))
    assert checks.evaluate(pa.record_batch({"v": [1]}), {}).bad is None
    assert checks.results()[0].outcome == "error"


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "[", "(?<!x)y"])
def test_patterns_re2_does_not_know_are_found_before_a_run(pattern: str) -> None:
    (check,) = checks_of([{"name": "p", "type": "regex", "column": "v", "pattern": pattern}], Field("v"))
    (problem,) = lint_patterns([check])
    assert problem.where == "c.yaml:3:5"
    assert "RE2" in problem.remedy
    with pytest.raises(ConfigurationError, match="cannot be used"):
        RowChecks([check], pa.schema([("v", pa.string())]))


# --- against a slow evaluator ------------------------------------------------------------------------------------

Ordered = dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]]
ORDERED: Ordered = {
    "int": (st.integers(-(2**31), 2**31 - 1), st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6)),
    "long": (st.integers(-(2**63), 2**63 - 1), st.integers(-(2**70), 2**70)),
    "decimal(9,3)": (
        st.decimals(-999999, 999999, places=3),
        st.decimals(-(10**7), 10**7, places=5).map(lambda d: format(d, "f")),
    ),
    "double": (st.floats(), st.floats(allow_nan=False, allow_infinity=False)),
    "date": (st.dates(), st.dates().map(lambda d: d.isoformat())),
    "timestamp": (st.datetimes(), st.datetimes().map(lambda d: d.isoformat())),
    "string": (st.text(max_size=5), st.text(max_size=3)),
}
ENDS = ("min", "max", "exclusive_min", "exclusive_max")


def _number(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, (int, float, Decimal)) else value


def _parsed(bound: Any, type: str) -> Any:
    if type == "date":
        return dt.date.fromisoformat(bound)
    if type == "timestamp":
        return dt.datetime.fromisoformat(bound)
    if type == "string":
        return bound.encode()
    return bound if type == "double" else Decimal(str(bound))


def _violates_range(value: Any, bounds: dict[str, Any], type: str) -> bool:
    if value is None:
        return False
    if type == "double" and math.isnan(value):
        return True
    value = value.encode() if type == "string" else value if type == "double" else _number(value)
    ends = {key: _parsed(bound, type) for key, bound in bounds.items()}
    return (
        ("min" in ends and value < ends["min"])
        or ("max" in ends and value > ends["max"])
        or ("exclusive_min" in ends and value <= ends["exclusive_min"])
        or ("exclusive_max" in ends and value >= ends["exclusive_max"])
    )


@pytest.mark.parametrize("type", ORDERED)
@requirement("DQ-06")
def test_range_masks_equal_a_slow_evaluation(type: str) -> None:
    values, bounds = ORDERED[type]

    @settings(max_examples=120, deadline=None)
    @given(st.lists(values | st.none(), max_size=30), st.dictionaries(st.sampled_from(ENDS), bounds, min_size=1))
    def compare(column: list[Any], ends: dict[str, Any]) -> None:
        try:
            got = bad({"type": "range", **ends}, column, type)
        except ConfigurationError as error:
            assert "above the upper bound" in str(error)  # noqa: PT017
            return
        assert got == [_violates_range(value, ends, type) for value in column]

    compare()


WORDS = st.text("ab1ü😀\n ", max_size=6) | st.none()
PATTERNS = ("a", "^a", "b$", "^[a-z]*$", "a.*1", "ü|b{2}", "^$")


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=40), st.sampled_from(PATTERNS), st.integers(0, 4), st.integers(0, 4), st.lists(WORDS))
@requirement("DQ-06")
def test_text_masks_equal_a_slow_evaluation(
    column: list[str | None], pattern: str, least: int, more: int, allowed: list[str | None]
) -> None:
    bodies: list[dict[str, Any]] = [
        {"name": "regex", "type": "regex", "column": "v", "pattern": pattern},
        {"name": "length", "type": "length", "column": "v", "min": least, "max": least + more},
        {"name": "enum", "type": "enum", "column": "v", "values": allowed or ["a"]},
        {"name": "null", "type": "not_null", "column": "v"},
    ]
    verdict = run(bodies, column, "string")[1]
    # $ of RE2 is the end of the text, Python's also comes before a last newline
    found = re.compile(pattern.replace("$", r"\Z"))
    expected = [
        [
            name
            for name, violated in (
                ("regex", v is not None and not found.search(v)),
                ("length", v is not None and not least <= len(v) <= least + more),
                ("enum", v is not None and v not in (allowed or ["a"])),
                ("null", v is None),
            )
            if violated
        ]
        for v in column
    ]
    assert list(verdict.reasons) == [reasons for reasons in expected if reasons]
    assert (verdict.bad.to_pylist() if verdict.bad is not None else [False] * len(column)) == [
        bool(r) for r in expected
    ]


# --- conditions in SQL -------------------------------------------------------------------------------------------

ORDERS = (Field("id", "long"), Field("state"), Field("amount", "double"), Field("note"))


def orders(**columns: list[Any]) -> pa.RecordBatch:
    rows = len(next(iter(columns.values())))
    arrays = [pa.array(columns.get(f.name, [None] * rows), to_arrow(f.type)) for f in ORDERS]
    return pa.record_batch(arrays, names=[f.name for f in ORDERS])


def judge_orders(*bodies: dict[str, Any], **columns: list[Any]) -> tuple[RowChecks, RowVerdict]:
    data = orders(**columns)
    checks = RowChecks(checks_of(list(bodies), *ORDERS), data.schema)
    return checks, checks.evaluate(data, {})


@requirement("DQ-05", "DQ-07")
def test_a_condition_sets_rows_aside_for_which_it_is_false_and_null_passes() -> None:
    body = {"id": "paid", "type": "condition", "expression": "state <> 'paid' OR amount > 0 -- paid means money"}
    checks, verdict = judge_orders(body, state=["paid", "paid", "open", "paid"], amount=[1.0, 0.0, 0.0, None])
    assert verdict.bad is not None
    assert verdict.bad.to_pylist() == [False, True, False, False]
    assert verdict.reasons == [["paid"]]
    (result,) = checks.results()
    assert (result.outcome, result.evaluated, result.failed, result.evaluated_by) == ("failed", 4, 1, "stream")


@requirement("DQ-07")
def test_rows_that_do_not_meet_where_do_not_count() -> None:
    body = {"type": "range", "column": "amount", "min": 1, "where": "state = 'paid'"}
    checks, verdict = judge_orders(body, state=["paid", "open", None, "paid"], amount=[0.0, 0.0, 0.0, 5.0])
    assert verdict.bad is not None
    assert verdict.bad.to_pylist() == [True, False, False, False]
    (result,) = checks.results()
    assert (result.evaluated, result.failed) == (2, 1)
    both = {"type": "condition", "expression": "amount > 1", "where": "state = 'paid'", "tolerance": 0.6}
    checks, verdict = judge_orders(both, state=["paid", "open", "paid"], amount=[0.0, 0.0, 2.0])
    assert (verdict.bad, checks.results()[0].failed, checks.results()[0].evaluated) == (None, 1, 2)


@requirement("DQ-11")
def test_a_row_on_which_a_condition_cannot_be_told_is_no_good_row() -> None:
    body = {"type": "condition", "expression": "note::INTEGER > 1"}
    _, verdict = judge_orders(body, note=["2", "secret", None, "0"])
    assert verdict.bad is not None
    assert verdict.bad.to_pylist() == [False, True, False, True]
    where = {"type": "range", "column": "amount", "min": 1, "where": "note::INTEGER > 1"}
    _, verdict = judge_orders(where, note=["2", "secret", None, "0"], amount=[0.0] * 4)
    assert verdict.bad is not None
    assert verdict.bad.to_pylist() == [True, True, False, False]


def test_a_pattern_that_would_explode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        judge_orders({"type": "regex", "column": "note", "pattern": "((a{1000}){1000}){9}"}, note=["a"])


def test_batches_without_rows_and_conditions_without_columns_are_fine() -> None:
    checks, verdict = judge_orders({"type": "condition", "expression": "1 = 1"}, id=[1, 2])
    assert verdict.bad is None
    assert checks.evaluate(orders(id=[]), {}).bad is None
    assert checks.results()[0].evaluated == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sum(amount) > 1", "its own row"),
        ("amount", "gives double, and not true or false"),
        ("id > (SELECT 1)", "its own row"),
        ("nofunction(id)", "nofunction"),
        ("1 = 1); DROP TABLE rows; SELECT (1", "no SQL expression"),
    ],
)
def test_what_is_no_condition_is_refused_where_it_stands(text: str, said: str) -> None:
    for body in ({"type": "condition", "expression": text}, {"type": "range", "column": "id", "min": 1, "where": text}):
        with pytest.raises(ConfigurationError) as refused:
            judge_orders(body, id=[1])
        assert said in str(refused.value)
        assert refused.value.where == "c.yaml:3:5"


def test_a_condition_that_cannot_be_evaluated_at_all_is_an_error() -> None:
    body = {"type": "condition", "expression": "(note || random()::VARCHAR)::INTEGER > 1"}
    checks, verdict = judge_orders(body, note=["x"])
    assert verdict.bad is None
    assert checks.results()[0].outcome == "error"
