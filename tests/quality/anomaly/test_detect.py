from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dativo_provider.quality.anomaly import LEAST, METHODS, Band, Point, detect
from tests.quality.anomaly.labelled import KINDS, Counts, measure
from tests.support import requirement

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
WEEK = (100.0, 104.0, 98.0, 101.0, 99.0, 30.0, 20.0)


def daily(*values: float) -> list[Point]:
    return [Point(START + timedelta(days=day), value) for day, value in enumerate(values)]


def judge(points: list[Point], method: str = "auto", flagged: tuple[int, ...] = ()) -> Band:
    flags = [index in flagged for index in range(len(points))]
    made = detect(points, flags, points[-1].at + timedelta(days=1), method)
    assert isinstance(made, Band)
    return made


@requirement("DQ-09", "DQ-12")
def test_nine_of_ten_outliers_are_found_and_nine_of_ten_alarms_are_outliers() -> None:
    by_kind = {kind: measure(kind, "auto", seeds=3) for kind in KINDS}
    for kind, counts in by_kind.items():
        print(f"{kind}: precision {counts.precision:.2f}, recall {counts.recall:.2f}")
    whole = sum(by_kind.values(), Counts())
    assert whole.found + whole.missed > 60
    assert whole.precision >= 0.9, by_kind
    assert whole.recall >= 0.9, by_kind


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_a_table_that_came_empty_and_leaves_an_ordinary_day_alone(method: str) -> None:
    band = judge(daily(*(1000 + 7 * (day % 5) for day in range(30))), method)
    assert band.holds(1014)
    assert not band.holds(0)
    assert not band.holds(2500)


@pytest.mark.parametrize("method", METHODS)
def test_seven_points_are_still_learning(method: str) -> None:
    points = daily(*[5.0] * (LEAST - 1))
    assert detect(points, [False] * len(points), START + timedelta(days=8), method) == LEAST - 1


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_has_a_band_about_it(method: str) -> None:
    band = judge(daily(*[500.0] * 20), method)
    assert band.holds(505)
    assert not band.holds(600)


@pytest.mark.parametrize("method", ["auto", "holt_winters"])
def test_a_quiet_weekend_is_no_anomaly_and_a_quiet_monday_is(method: str) -> None:
    saturday = judge(daily(*WEEK * 5, *WEEK[:5]), method)
    assert saturday.holds(30)
    assert not saturday.holds(100)
    monday = judge(daily(*WEEK * 6), method)
    assert monday.holds(100)
    assert not monday.holds(30)


def test_the_first_weekends_raise_no_alarm_while_a_season_cannot_be_told() -> None:
    assert judge(daily(*WEEK, *WEEK[:5])).holds(30)


def test_missing_days_do_not_shift_the_week() -> None:
    points = [point for index, point in enumerate(daily(*WEEK * 6, *WEEK[:5])) if index not in (3, 10, 16, 17, 29)]
    band = judge(points)
    assert "day of the week" in band.how
    assert band.holds(30)
    assert not band.holds(100)


def test_a_growing_table_is_expected_to_grow_on() -> None:
    band = judge(daily(*(1000 * 1.03**day for day in range(40))))
    assert "trend" in band.how
    assert band.holds(1000 * 1.03**40)
    assert not band.holds(1000 * 1.03**20)


@pytest.mark.parametrize("method", ["z_score", "auto"])
def test_an_anomaly_that_passed_does_not_widen_the_band(method: str) -> None:
    points = daily(*(100 + day % 3 for day in range(20)), 900.0, *(100 + day % 3 for day in range(5)))
    assert not judge(points, method, flagged=(20,)).holds(150)


def test_a_level_that_stayed_is_the_new_level_once_it_is_learned() -> None:
    points = daily(*(100 + day % 3 for day in range(20)), *(200 + day % 3 for day in range(8)))
    flagged = tuple(range(20, 25))
    band = judge(points, flagged=flagged)
    assert band.holds(201)
    assert not band.holds(100)
    assert detect(points[:26], [index in flagged for index in range(26)], START + timedelta(days=26)) == 6


def test_values_below_zero_have_a_band_too() -> None:
    band = judge(daily(*(-40 + day % 4 for day in range(20))))
    assert band.holds(-39)
    assert not band.holds(40)


def test_a_share_that_was_always_zero_may_not_rise() -> None:
    assert not judge(daily(*[0.0] * 10)).holds(0.01)
