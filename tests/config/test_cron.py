from __future__ import annotations

import sys

import pytest

from dativo_provider.config.cron import problem_of

GOOD = [
    "0 * * * *",
    "*/5 0-6,20-23 * * mon-fri",
    "0 0 1 jan *",
    "0 0 L * *",
    "0 0 * * 5#2",
    "@hourly",
    "@Daily",
    "0 0 29 2 *",
]


@pytest.mark.parametrize("expression", GOOD)
def test_what_airflow_can_schedule_is_accepted(expression: str) -> None:
    assert problem_of(expression) == ""


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 25 * * *", "'25' does not fit the field hour (0-23)"),
        ("60 * * * *", "'60' does not fit the field minute"),
        ("0 0 31 2 *", "is not a cron expression"),
        ("* * * *", "has 4 fields"),
        ("0 0 * * * *", "has 6 fields"),
        ("@sometimes", "is not a preset"),
        ("*/0 * * * *", "'*/0' does not fit"),
        ("x * * * *", "'x' does not fit"),
        ("0 0 * foo *", "'foo' does not fit the field month"),
        ("", "has 0 fields"),
    ],
)
def test_what_it_cannot_is_explained(expression: str, said: str) -> None:
    assert said in problem_of(expression)


def test_without_croniter_the_fields_are_still_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "croniter", None)
    problem_of.cache_clear()
    assert problem_of("1 2 3 4 5") == ""
    assert "hour" in problem_of("1 99 3 4 5")
    problem_of.cache_clear()
