"""The language of alert rules: what it says, what it refuses, and that nothing in it is ever run."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.config.conditions import Term, parse_condition, resolve
from dativo_provider.errors import ConfigurationError
from tests.support import requirement


@requirement("DQ-14")
@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("daily_cost > avg_cost_7d * 1.5", {"daily_cost": 151, "avg_cost_7d": 100}, True),
        ("daily_cost > avg_cost_7d * 1.5", {"daily_cost": 150, "avg_cost_7d": 100}, False),
        ("daily_cost > avg_cost_7d * 1.5", {"daily_cost": 150, "avg_cost_7d": None}, None),
        ("sum(a) / rows_accepted >= 2", {"sum(a)": 4, "rows_accepted": 2}, True),
        ("sum(a) / rows_accepted >= 2", {"sum(a)": 4, "rows_accepted": 0}, None),
        ("not (a < 1 or b > -2)", {"a": 1, "b": -2}, True),
        ("a < 1 or b > 2", {"a": 0, "b": None}, True),
        ("a < 1 and b > 2", {"a": 1, "b": None}, False),
        ("a < 1 and b > 2", {"a": 0, "b": None}, None),
        ("0 <= a < 10", {"a": 10}, False),
        ("a != 1", {"a": 1.0}, False),
    ],
)
def test_conditions_hold_or_not_or_nobody_knows(text: str, values: dict[str, float | None], expected: object) -> None:
    assert parse_condition(text).holds(values) is expected


@requirement("DQ-14")
@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id') > 0", "a.__class__ == 1", "a[0] > 1", "(lambda: 1)() > 0", "a ** 99999999 > 1",
        "'x' * 10 > 1", "f'{a}' > 1", "[a for a in b] > 1", "a if b else c", "a := 1", "True", "a", "a + 1", "a > True",
        "sum(a, b) > 1", "sum(a + 1) > 1", "eval(a) > 1", "a = 1", "", "a >", "a and b > 1", "-(a > 1)", "a << 2 > 1",
        "(a > 1) + 1 > 1", "a in b", "a is b", "a > 1; b", "1j > 1", "not a", "sum(a=b) > 1", "print(a) > 1", "~a > 1",
    ],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_condition(text)
    assert refused.value.remedy


def test_an_equals_sign_alone_is_answered_with_the_right_one() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_condition("rows_accepted = 0")
    assert "==" in refused.value.remedy


@pytest.mark.parametrize("text", ["(" * 240 + "a" + ")" * 240 + " > 1", "a > 1" * 200, "-" * 400 + "a > 1", "a\0 > 1"])
def test_hostile_lengths_and_depths_are_refused_or_read(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        parse_condition(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ConfigurationError:
        return
    assert condition.holds(dict.fromkeys(condition.names, 1.0)) in (True, False, None)


@requirement("DQ-14", "TAG-09")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("daily_cost", Term("daily_cost", "max")),
        ("sum(amount)", Term("amount", "sum")),
        ("sum_amount", Term("amount", "sum")),
        ("rows_accepted", Term("rows_accepted")),
        ("avg_cost_7d", Term("daily_cost", "max", "avg", 7)),
        ("max_rows_accepted_30d", Term("rows_accepted", "", "max", 30)),
        ("stddev_sum_amount_14d", Term("amount", "sum", "stddev", 14)),
        ("avg_amount_7d", Term("amount", "max", "avg", 7)),
        ("avg_taken_7d", Term("avg_taken_7d", "max")),  # a column's own name goes first
        ("avg_cost_0d", None),
        ("cost", None),
        ("avg_nothing_7d", None),
    ],
)
def test_names_stand_for_columns_counts_and_trailing_values(name: str, expected: Term | None) -> None:
    assert resolve(name, ("daily_cost", "amount", "avg_taken_7d")) == expected
