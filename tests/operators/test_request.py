from __future__ import annotations

from datetime import UTC, datetime

from dativo_provider.model.run import Lane
from dativo_provider.operators.request import request_of
from tests.operators.samples import FakeTask, airflow_context

DAY, NEXT = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


def with_interval(context, start=DAY, end=NEXT):
    context["dag_run"].data_interval_start, context["dag_run"].data_interval_end = start, end
    return context


def test_a_scheduled_run_leaves_the_window_to_the_cursor():
    request = request_of(with_interval(airflow_context("scheduled")))
    assert (request.start, request.end, request.lane) == (None, None, Lane())


def test_a_backfill_run_covers_its_own_interval():
    request = request_of(with_interval(airflow_context("backfill")))
    assert (request.start, request.end) == ("2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00")
    assert request.lane.kind == "backfill"


def test_params_win_over_the_interval_of_a_backfill():
    context = with_interval(airflow_context("backfill", **{"from": "2026-01-01T00:00:00Z", "to": None}))
    assert (request_of(context).start, request_of(context).end) == ("2026-01-01T00:00:00Z", None)


def test_a_run_started_by_an_asset_has_no_dates_and_needs_none():
    context = airflow_context("asset_triggered")
    del context["params"]
    assert request_of(context).run_id == "manual__1"


def test_full_refresh_and_the_attempt_are_passed_on():
    request = request_of(airflow_context(task=FakeTask(try_number=2), full_refresh=True))
    assert (request.full_refresh, request.attempt) == (True, 2)
