"""Promises about many runs: enough rows a day, runs that succeed, rows that keep coming."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.sla import SlaSpec
from dativo_provider.pipeline.sla import standing, watch_freshness
from tests.notify.servers import Inbox, http_inbox
from tests.pipeline.test_notices import GOOD, Told, events
from tests.support import requirement

pytestmark = pytest.mark.one_set  # promises are computed from the store

TWO = {"type": "row_count", "min": 1, "name": "some rows"}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with http_inbox() as found:
        yield found


def rows(number: int) -> list[str]:
    return [GOOD] * number


def outcomes(report: Any) -> dict[str, str]:
    return {each.check_id: each.outcome for each in report.verdict.results if each.check_id.startswith("sla.")}


def stands(bench: Told, hours: float) -> dict[str, tuple[object, str]]:
    bench.later = timedelta(hours=hours)
    return {kept.promise: (kept.actual, kept.outcome) for kept in standing(bench.spec(), bench.context())}


@requirement("SN-09", "DQ-02")
def test_too_few_rows_in_a_day_are_told_but_never_block(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, job={"sla": SlaSpec(min_records_per_day=5)})
    bench.tell(inbox)
    assert outcomes(bench.go("a.csv", *rows(3))) == {"sla.completeness": "skipped"}  # the first day is young
    assert outcomes(bench.go("b.csv", *rows(2), hours=20)) == {"sla.completeness": "passed"}  # 3 + 2
    report = bench.go("c.csv", *rows(2), hours=30)  # 2 + 2: the first three are older than a day
    assert outcomes(report) == {"sla.completeness": "failed"}
    assert report.error is None
    assert report.verdict is not None
    assert report.verdict.decision == "warn"
    assert events(inbox) == [("firing", ["promise of completeness"])]
    bench.go("d.csv", *rows(9), hours=31)
    assert events(inbox) == [("resolved", ["promise of completeness"])]


@requirement("DQ-02")
def test_availability_is_the_share_of_runs_that_succeeded_whatever_their_attempts(tmp_path: Path) -> None:
    bench = Told(tmp_path, rules=[{**TWO, "min": 2}], job={"sla": SlaSpec(uptime_percentage=70)})
    assert outcomes(bench.go("a.csv", *rows(2), run_id="one")) == {"sla.availability": "skipped"}
    assert bench.go("b.csv", *rows(1), hours=1, run_id="two").error is not None
    assert stands(bench, 1) == {"availability": (50, "failed")}
    assert bench.go("c.csv", *rows(1), hours=2, run_id="two").error is None  # the second attempt: b and c
    assert stands(bench, 2) == {"availability": (100, "passed")}
    assert stands(bench, 24 * 32) == {"availability": (None, "skipped")}  # all longer ago than 30 days


@requirement("DQ-02")
def test_freshness_is_broken_when_no_run_comes_at_all(tmp_path: Path) -> None:
    bench = Told(tmp_path, job={"sla": SlaSpec(max_age_hours=6)})
    assert stands(bench, 0) == {"freshness": (None, "not_evaluated")}
    bench.go("a.csv", *rows(1))
    assert stands(bench, 5) == {"freshness": (5, "passed")}
    bench.later = timedelta(hours=5)
    bench.run()  # runs, and brings nothing
    assert stands(bench, 7) == {"freshness": (7, "failed")}


@requirement("DQ-02")
def test_freshness_stays_broken_however_long_nothing_runs(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, job={"sla": SlaSpec(max_age_hours=6)})
    bench.tell(inbox)
    bench.go("a.csv", *rows(1))
    assert stands(bench, 24 * 40) == {"freshness": (None, "failed")}
    assert [kept.outcome for kept in watch_freshness(bench.spec(), bench.context())] == ["failed"]
    assert events(inbox) == [("firing", ["rows keep coming"])]


@requirement("DQ-02")
def test_a_first_run_that_brought_nothing_yet_has_as_long_as_is_promised(tmp_path: Path) -> None:
    bench = Told(tmp_path, rules=[TWO], job={"sla": SlaSpec(max_age_hours=6)})
    assert bench.go("a.csv").error is not None
    assert stands(bench, 5) == {"freshness": (None, "not_evaluated")}
    assert stands(bench, 7) == {"freshness": (None, "failed")}


@requirement("DQ-02")
def test_rows_read_again_for_a_range_keep_no_promise_about_new_ones(tmp_path: Path) -> None:
    promised = SlaSpec(max_age_hours=6, min_records_per_day=1, uptime_percentage=1)
    bench = Told(tmp_path, stream={"key": ("id",)}, target={"mode": "merge"}, job={"sla": promised})
    bench.go("a.csv", *rows(1))
    before = stands(bench, 30)
    bench.later = timedelta(hours=29)
    assert bench.run(start="2020-01-01T00:00:00Z", end="2100-01-01T00:00:00Z").books.accepted == 1
    assert stands(bench, 30) == before
    assert before["freshness"] == (30, "failed")


@requirement("DQ-02")
def test_freshness_is_that_of_the_newest_value_where_a_check_looks_at_one(tmp_path: Path) -> None:
    fresh = {"type": "freshness", "column": "updated_at", "max_age_hours": 6, "severity": "warning"}
    bench = Told(tmp_path, rules=[fresh], job={"sla": SlaSpec(max_age_hours=6)})
    bench.go("a.csv", "1,eu,5.00,2026-02-28T22:00:00Z")  # two hours before the run
    assert stands(bench, 3) == {"freshness": (5, "passed")}
    assert stands(bench, 5) == {"freshness": (7, "failed")}


@requirement("DQ-02", "DQ-11")
def test_a_store_that_does_not_answer_leaves_promises_unjudged_and_the_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dativo_provider.errors import StorageUnavailable
    from dativo_provider.pipeline import sla

    def fail(*_: object) -> None:
        raise StorageUnavailable("no answer")

    monkeypatch.setattr(sla, "_records", fail)
    bench = Told(tmp_path, job={"sla": SlaSpec(min_records_per_day=5)})
    report = bench.go("a.csv", *rows(1))
    assert report.error is None
    assert outcomes(report) == {"sla.completeness": "not_evaluated"}
    assert report.verdict is not None
    assert report.verdict.decision == "pass"


@requirement("DQ-02", "DQ-13")
def test_rows_that_stop_coming_are_told_without_a_run_and_so_is_their_return(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, job={"sla": SlaSpec(max_age_hours=6)})
    bench.tell(inbox)
    bench.go("a.csv", *rows(1))
    stale = []
    for hours in (5, 7, 8):
        bench.later = timedelta(hours=hours)
        stale.append(len(watch_freshness(bench.spec(), bench.context())))
    assert stale == [0, 1, 1]
    assert events(inbox) == [("firing", ["rows keep coming"])]
    bench.go("b.csv", *rows(1), hours=9)
    assert watch_freshness(bench.spec(), bench.context()) == []
    assert events(inbox) == [("resolved", ["rows keep coming"])]
