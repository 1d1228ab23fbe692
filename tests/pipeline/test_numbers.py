"""What runs leave for those after them: rows, means, flags, scores and profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dativo_provider.model.checks import CheckResult, Rule
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import load
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.run import StreamReport, run
from dativo_provider.pipeline.workplace import open_folder
from dativo_provider.quality.profile.model import Profile
from dativo_provider.store import StreamKey, open_store
from tests.pipeline.build import Bench
from tests.support import requirement

pytestmark = pytest.mark.one_set  # history is the store's

KEY = StreamKey("acme", "orders", "orders")
START = datetime(2026, 3, 2, 6, tzinfo=UTC)


@dataclass
class Bill:
    """A file and a run a day, under the anomaly check of the billing snippet."""

    bench: Bench
    severity: str = "warning"
    profile: bool = False
    day: int = 0

    @property
    def ctx(self) -> RunContext:
        made = self.bench.context()
        made.now = lambda: START + timedelta(days=self.day)
        return made

    def job(self) -> JobSpec:
        body = {"name": "detect_cost_anomalies", "function": "ml_anomaly_detection", "severity": self.severity}
        job = self.bench.spec()
        contract = replace(job.streams[0].contract, rules=(Rule("custom", body),))
        return replace(job, streams=(replace(job.streams[0], contract=contract),), profile=self.profile)

    def run(self, factor: float = 1.0) -> StreamReport:
        self.day += 1
        rows = [f"{self.day}-{n},{factor * (10 + (self.day + n) % 3)}" for n in range(30)]
        self.bench.csv(f"day{self.day:03}.csv", *rows, header="id,cost")
        return run(self.job(), self.ctx).streams[0]

    def had(self, days: int) -> None:
        """So many ordinary days, as runs leave them."""
        for _ in range(days):
            self.day += 1
            at = (START + timedelta(days=self.day)).isoformat()
            open_store(self.ctx).record_metrics(KEY, at, at, {"rows_accepted": 30.0, "mean(cost)": 11.0})

    def history(self, name: str) -> list[float]:
        return [point.value for point in open_store(self.ctx).history(KEY, name, None)][::-1]


def a_bill(folder: Path, **given: object) -> Bill:
    fields = (Field("id", required=True), Field("cost", "double"))
    return Bill(Bench(folder, fields=fields), **given)  # type: ignore[arg-type]


def anomaly(report: StreamReport) -> CheckResult:
    assert report.error is None or report.verdict, report.error
    assert report.verdict
    return next(result for result in report.verdict.results if result.name == "detect_cost_anomalies")


@requirement("SN-02", "DQ-09", "ML-08")
def test_a_bill_that_tripled_after_eight_days_is_reported_and_published(tmp_path: Path) -> None:
    bill = a_bill(tmp_path)
    bill.had(days=7)
    assert anomaly(bill.run()).outcome == "not_evaluated"
    tripled = bill.run(factor=3)
    assert anomaly(tripled).outcome == "failed"
    assert "mean(cost) is 33" in anomaly(tripled).message
    assert tripled.verdict
    assert tripled.verdict.decision == "warn"
    assert tripled.books.accepted == 30
    assert anomaly(bill.run()).outcome == "passed"
    assert bill.history("mean(cost)") == [11.0] * 8 + [33.0, 11.0]
    assert bill.history("anomaly(mean(cost))") == [1.0, 0.0]
    assert bill.history("rows_accepted") == [30.0] * 10


@requirement("DQ-09")
def test_a_blocked_run_leaves_no_history_but_a_score(tmp_path: Path) -> None:
    bill = a_bill(tmp_path, severity="error")
    bill.had(days=8)
    bill.run()
    blocked = bill.run(factor=9)
    assert blocked.error is not None
    assert blocked.error.code == "CONTRACT_VIOLATION"
    assert bill.history("mean(cost)") == [11.0] * 9
    assert len(bill.history("score")) == 2
    assert bill.history("score")[-1] < bill.history("score")[-2] == 100.0


@requirement("DQ-12", "DQ-16")
def test_every_run_of_a_job_that_asks_for_it_leaves_a_profile(tmp_path: Path) -> None:
    bill = a_bill(tmp_path, profile=True)
    report = bill.run()
    assert report.plan
    text = open_folder(report.plan.path, bill.ctx).profile()
    assert text is not None
    made = load(Profile, text)
    assert [column.name for column in made.columns] == ["id", "cost"]
    assert made.columns[1].mean == 11.0
    assert bill.history("null_share(cost)") == [0.0]
    assert bill.history("max(cost)") == [12.0]


def test_a_job_that_does_not_ask_leaves_none(tmp_path: Path) -> None:
    bill = a_bill(tmp_path)
    report = bill.run()
    assert report.plan
    assert open_folder(report.plan.path, bill.ctx).profile() is None
    assert bill.history("null_share(cost)") == []


def test_a_store_that_does_not_answer_is_asked_once_and_stops_nothing(tmp_path: Path) -> None:
    bill = a_bill(tmp_path)
    bill.run()
    (tmp_path / "home/store.db").write_text("this is no database")
    assert anomaly(bill.run()).outcome == "not_evaluated"
