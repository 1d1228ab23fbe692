"""The anomaly and change checks: a run against what earlier runs left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, Rule
from dativo_provider.model.run import data_time
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, Window
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.measured import history_of
from dativo_provider.quality.scan import evaluate
from dativo_provider.store import MetricPoint
from tests.quality.support import a_check
from tests.quality.test_scan import Staged
from tests.support import requirement

NOW = dt.datetime(2026, 3, 31, 6, tzinfo=dt.UTC)
FIELDS = (Field("id", "long"), Field("cost", "double"), Field("team", "string"))


class Past:
    """History of metrics, a value a day up to yesterday."""

    def __init__(self, **metrics: Sequence[float]) -> None:
        self.known = {name.replace("__", "(") + (")" if "__" in name else ""): v for name, v in metrics.items()}

    def __call__(self, name: str, most: int) -> Sequence[MetricPoint]:
        values = self.known.get(name, ())
        days = [(NOW - dt.timedelta(days=len(values) - at)).isoformat() for at in range(len(values))]
        points = [MetricPoint(day, value, day) for day, value in zip(days, values, strict=True)]
        return points[::-1][:most]


def judged(past: Past, staged: Staged, **check: Any) -> CheckResult:
    rows = staged.data.num_rows
    books = Books(extracted=rows, accepted=rows, produced=rows)
    scene = Scene(staged, books, NOW, Settings("/nowhere"), FIELDS, past)
    options = {name: check.pop(name) for name in ("metric", "method", "sigmas") if name in check}
    spec = a_check(**{"kind": "anomaly", "scope": "dataset", "columns": (), "params": options, **check})
    return evaluate([spec], scene)[0]


def bill(*costs: float) -> Staged:
    return Staged(id=list(range(len(costs))), cost=list(costs), team=["a"] * len(costs))


ORDINARY = [10.0, 11.0, 9.0, 10.5, 9.5] * 6
STEADY = [30.0 + day % 3 for day in range(20)]


@requirement("DQ-09", "ML-08")
def test_the_built_in_function_finds_a_bill_that_tripled() -> None:
    past = Past(rows_accepted=STEADY, mean__cost=[10.0 + day % 2 for day in range(20)], mean__id=[14.5] * 20)
    assert judged(past, bill(*ORDINARY)).outcome == "passed"
    found = judged(past, bill(*(3 * cost for cost in ORDINARY)))
    assert found.outcome == "failed"
    assert "mean(cost) is 30, expected" in found.message
    assert found.value["metrics"]["mean(cost)"]["anomalous"] is True
    assert found.value["metrics"]["rows_accepted"]["anomalous"] is False


@requirement("DQ-09")
def test_it_is_compiled_from_the_snippet_as_a_warning_that_looks_at_the_whole_run() -> None:
    body = {"name": "detect_cost_anomalies", "function": "ml_anomaly_detection", "severity": "warning"}
    rule = Rule("custom", body | {"description": "ML-based anomaly detection (>3 std dev)"}, "", "job.yaml:7:3")
    check = next(check for check in compile_rules([rule], FIELDS) if check.kind == "anomaly")
    assert (check.scope, check.severity, check.on_violation, check.columns) == ("dataset", "warning", "warn", ())
    assert "not_evaluated" not in check.params


@requirement("DQ-09")
def test_below_eight_runs_it_learns_and_never_passes() -> None:
    found = judged(Past(rows_accepted=STEADY[:7]), bill(*ORDINARY))
    assert found.outcome == "not_evaluated"
    assert "learning: rows has 7 of 8 runs" in found.message


def test_an_empty_run_where_rows_used_to_come_is_out_of_the_ordinary() -> None:
    found = judged(Past(rows_accepted=STEADY), bill())
    assert found.outcome == "failed"
    assert "rows is 0" in found.message


def test_a_row_far_out_fails_a_check_of_its_column_without_any_history() -> None:
    found = judged(Past(), bill(*ORDINARY * 10, 5_000.0), columns=("cost",))
    assert (found.outcome, found.failed) == ("failed", 1)
    assert "1 rows lie more than" in found.message


def test_many_ordinary_rows_are_not_outliers_because_they_are_many() -> None:
    import random

    rng = random.Random(3)
    costs = [rng.gauss(100, 5) for _ in range(20_000)]
    assert sum(abs(cost - 100) > 15 for cost in costs) > 20  # beyond three deviations, by chance
    assert judged(Past(), bill(*costs), columns=("cost",)).outcome == "passed"
    counted = judged(Past(), bill(*costs), columns=("cost",), tolerance=0.01)
    assert counted.outcome == "passed"
    assert counted.failed > 20


def test_runs_that_were_out_of_the_ordinary_do_not_become_the_ordinary() -> None:
    rows = [30.0] * 12 + [900.0, 30.0, 30.0]
    flag = [0.0] * 12 + [1.0]
    past = Past(rows_accepted=rows)
    days = past("rows_accepted", 99)[::-1]
    past.known["anomaly(rows_accepted)"] = ()
    wide = judged(past, bill(*[1.0] * 200), metric="rows", method="z_score")
    flagged = {"anomaly(rows_accepted)": [MetricPoint(days[12].at, flag[12], days[12].plan_id)]}

    def history(name: str, most: int) -> Sequence[MetricPoint]:
        return flagged.get(name) or past(name, most)

    narrow = judged(history, bill(*[1.0] * 200), metric="rows", method="z_score")  # type: ignore[arg-type]
    assert (wide.outcome, narrow.outcome) == ("passed", "failed")


@pytest.mark.parametrize("metric", ["mean(team)", "mean(price)", "secrets", "median(cost)"])
def test_a_metric_that_does_not_exist_is_an_error_that_names_it(metric: str) -> None:
    found = judged(Past(), bill(1.0), metric=metric)
    assert found.outcome == "error"
    assert metric.rpartition("(")[0] in found.message


def test_what_a_run_measured_becomes_history_with_its_flags() -> None:
    past = Past(rows_accepted=STEADY, mean__cost=[10.0] * 10)
    found = judged(past, bill(*[100.0] * 30))
    assert history_of([found]) == {
        "mean(cost)": 100.0, "mean(id)": 14.5, "anomaly(mean(cost))": 1.0, "anomaly(rows_accepted)": 0.0,
    }  # fmt: skip


def test_a_condition_makes_it_a_metric_of_its_own() -> None:
    found = judged(Past(rows_accepted=STEADY), bill(1.0, 5.0, 7.0), metric="rows", where="cost > 4")
    assert found.outcome == "not_evaluated"
    assert history_of([found]) == {"rows@c": 2.0}


@requirement("DQ-06")
def test_a_change_is_judged_against_the_last_accepted_run() -> None:
    allowed = {"op": "mustBeBetween", "value": [-20, 50], "unit": "percent"}
    change: dict[str, Any] = {"kind": "change", "params": {"metric": "rows", "allowed": allowed}}
    past = Past(rows_accepted=[5.0, 10.0])
    assert judged(past, bill(*[1.0] * 15), **change).outcome == "passed"
    halved = judged(past, bill(*[1.0] * 5), **change)
    assert halved.outcome == "failed"
    assert "-50 % of the 10 before" in halved.message
    assert judged(Past(), bill(1.0), **change).outcome == "not_evaluated"
    assert judged(Past(rows_accepted=[0.0]), bill(1.0), **change).outcome == "failed"


def test_a_backfill_belongs_to_its_interval() -> None:
    backfill = Window("range", "day", "date", "2026-01-05", "2026-01-06")
    assert data_time(backfill, NOW.isoformat()) == "2026-01-05T00:00:00+00:00"
    assert data_time(Window("range", "id", "long", 20260105, 20260106), NOW.isoformat()) == NOW.isoformat()
    assert data_time(Window("incremental", lo="2026-01-05"), NOW.isoformat()) == NOW.isoformat()
