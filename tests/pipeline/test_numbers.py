"""What runs leave for those after them: rows, means, flags, scores and profiles."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.acceptance import Acceptance
from dativo_provider.model.checks import CheckResult, Rule
from dativo_provider.model.context import RunContext
from dativo_provider.model.handling import Handling
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import load
from dativo_provider.model.stream import Field
from dativo_provider.pipeline import acceptance
from dativo_provider.pipeline.history import fold, old_runs, records
from dativo_provider.pipeline.run import StreamReport, run
from dativo_provider.pipeline.workplace import open_folder, run_files, runs_folder
from dativo_provider.quality.profile.model import Profile
from dativo_provider.store import StreamKey, import_records, open_store
from dativo_provider.store.sql import SqlStore
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
    profile: float = 0.0
    day: int = 0
    rule: dict[str, Any] = field(default_factory=dict)
    handling: Handling = Handling()

    @property
    def ctx(self) -> RunContext:
        made = self.bench.context()
        made.now = lambda: START + timedelta(days=self.day)
        return made

    def job(self) -> JobSpec:
        body = {"name": "detect_cost_anomalies", "severity": self.severity, **self.rule}
        rule = Rule("inline", body) if "type" in body else Rule("custom", {"function": "ml_anomaly_detection", **body})
        job = self.bench.spec()
        contract = replace(job.streams[0].contract, rules=(rule,), handling=self.handling)
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
    bill = a_bill(tmp_path, profile=1.0)
    report = bill.run()
    assert report.plan
    text = open_folder(report.plan.path, bill.ctx).profile()
    assert text is not None
    made = load(Profile, text)
    assert [column.name for column in made.columns] == ["id", "cost"]
    assert made.columns[1].mean == 11.0
    assert bill.history("null_share(cost)") == [0.0]
    assert bill.history("max(cost)") == [12.0]


@requirement("DQ-12")
def test_a_job_that_does_not_ask_leaves_what_footers_tell_and_no_history(tmp_path: Path) -> None:
    bill = a_bill(tmp_path)
    report = bill.run()
    assert report.plan
    text = open_folder(report.plan.path, bill.ctx).profile()
    assert text is not None
    made = load(Profile, text)
    assert (made.by, made.rows, [column.name for column in made.columns]) == ("footers", 30, ["id", "cost"])
    assert [(column.nulls, column.min, column.max) for column in made.columns] == [(0, None, None), (0, 10.0, None)]
    assert bill.history("null_share(cost)") == []


@requirement("DQ-12")
def test_a_profile_of_a_sample_says_so_and_leaves_only_numbers_that_hold_for_all_rows(tmp_path: Path) -> None:
    bill = a_bill(tmp_path, profile=0.5)
    report = bill.run()
    assert report.plan
    text = open_folder(report.plan.path, bill.ctx).profile()
    assert text is not None
    made = load(Profile, text)
    assert (made.by, made.share) == ("rows", 0.5)
    assert 5 < made.rows < 25
    assert [len(bill.history(f"{word}(cost)")) for word in ("null_share", "max", "sum", "distinct")] == [1, 0, 0, 0]


@pytest.mark.parametrize("folded", [False, True], ids=["of folders", "of finished records"])
def test_a_store_that_is_made_again_knows_what_runs_measured(tmp_path: Path, folded: bool) -> None:
    bill = a_bill(tmp_path, severity="error", profile=True)
    bill.had(days=9)
    for factor in (1, 1, 9):
        bill.run(factor)
    names = ("mean(cost)", "max(cost)", "score", "score_dimension(other)", "rows_accepted", "anomaly(mean(cost))")
    store = open_store(bill.ctx)
    before = {name: store.history(KEY, name, None) for name in names}
    assert [len(before[name]) for name in names] == [11, 2, 3, len(before[names[3]]), 11, 2]
    if folded:
        root = runs_folder(bill.job(), "orders", bill.ctx)
        files = run_files(root, bill.ctx)
        fold(files, old_runs(files, root, time.time() + 1, ()))
    with SqlStore(f"sqlite:///{tmp_path}/other.db") as other:
        import_records(other, records(bill.ctx))
        after = {name: other.history(KEY, name, None) for name in names}
    runs = {point.plan_id for point in before["score"]}
    assert after == {name: [point for point in points if point.plan_id in runs] for name, points in before.items()}


def test_a_run_made_again_has_the_books_it_was_published_with(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[{"type": "uniqueness", "columns": ["id"], "on_violation": "quarantine"}])
    bench.csv("a.csv", *(f"{n},n,1.00,2026-01-01T00:00:00Z" for n in (1, 2, 2)))
    report = bench.run()
    [record] = records(bench.context())
    assert (report.books.accepted, record.books) == (2, report.books)


@requirement("DQ-11")
@pytest.mark.parametrize("policy", ["warn", "block"])
def test_without_the_store_a_check_against_history_is_not_evaluated_and_follows_the_policy(
    tmp_path: Path, policy: str
) -> None:
    bill = a_bill(tmp_path, severity="error", rule={"column": "cost"}, handling=Handling(on_not_evaluated=policy))
    bill.had(days=9)
    bill.run()
    (tmp_path / "home/store.db").write_text("this is no database")
    report = bill.run()
    found = anomaly(report)
    assert (found.outcome, found.evaluated_by) == ("not_evaluated", "none")
    assert found.message == "the metadata store does not answer, and it alone has the history of this stream"
    assert report.verdict
    assert report.verdict.decision == policy
    assert (report.error is None) is (policy == "warn")
    assert any("nobody knows whether it holds" in reason for reason in report.verdict.reasons)


def test_without_the_store_a_change_is_not_evaluated_either(tmp_path: Path) -> None:
    bill = a_bill(tmp_path, rule={"type": "change", "metric": "rows", "min": -50, "max": 100})
    bill.had(days=1)
    (tmp_path / "home/store.db").write_text("this is no database")
    found = anomaly(bill.run())
    assert (found.outcome, found.failed) == ("not_evaluated", 0)
    assert "the metadata store does not answer" in found.message


def accept(bill: Bill, report: StreamReport, **given: Any) -> list[Acceptance]:
    assert report.plan
    assert report.verdict
    record = open_store(bill.ctx).get(report.plan.plan_id)
    assert record
    said = {"by": "ann", "reason": "a new customer", **given}
    return acceptance.accept(bill.job(), record, report.verdict.results, ctx=bill.ctx, **said)


@requirement("DQ-09", "DQ-12", "ML-08")
@pytest.mark.parametrize(
    "rule",
    [
        {"arguments": {"metric": "mean(cost)"}},
        {"arguments": {"metric": "mean(cost)", "method": "z_score"}},
        {"arguments": {"metric": "mean(cost)", "method": "holt_winters"}},
        {"type": "change", "metric": "mean(cost)", "min": -50, "max": 100},
    ],
    ids=["auto", "z_score", "holt_winters", "change"],
)
def test_a_level_that_was_accepted_is_normal_from_then_on_and_what_leaves_it_is_found(
    tmp_path: Path, rule: dict[str, Any]
) -> None:
    bill = a_bill(tmp_path, severity="error", rule=rule)
    bill.had(days=12)
    bill.run()
    blocked = bill.run(factor=9)
    assert blocked.error is not None
    assert "dativo quality accept --config" in blocked.error.remedy
    bill.day -= 1
    assert bill.run(factor=9).error is not None, "nothing learns by itself what blocks"
    [made] = accept(bill, blocked)
    assert (made.by, made.reason, made.levels) == ("ann", "a new customer", {"mean(cost)": 99.0})
    assert accept(bill, blocked, by="bob") == [], "once is enough"
    bill.day -= 1
    again = bill.run(factor=9)
    assert (again.error, anomaly(again).outcome) == (None, "passed")
    assert anomaly(bill.run(factor=9.2)).outcome == "passed"
    assert bill.run(factor=30).error is not None
    bill.day -= 1
    assert bill.run(factor=1).error is not None, "what was normal before is no more"


def test_only_what_differs_from_history_is_accepted_and_only_for_a_reason(tmp_path: Path) -> None:
    bill = a_bill(tmp_path, severity="error")
    bill.had(days=9)
    fine, blocked = bill.run(), bill.run(factor=9)
    with pytest.raises(ConfigurationError, match="for a reason"):
        accept(bill, blocked, reason=" ")
    with pytest.raises(ConfigurationError, match="nothing in run"):
        accept(bill, fine)
    with pytest.raises(ConfigurationError, match="no check 'nope'"):
        accept(bill, blocked, check="nope")
    [made] = accept(bill, blocked, check="detect_cost_anomalies")
    assert made.levels == {"mean(cost)": 99.0}, "the rows were as many as ever"


def test_a_level_that_was_published_with_a_warning_may_be_accepted_as_well(tmp_path: Path) -> None:
    bill = a_bill(tmp_path)
    bill.had(days=12)
    accept(bill, bill.run(factor=9))
    assert anomaly(bill.run(factor=9)).outcome == "passed"


def test_what_was_accepted_outlives_the_folders_of_runs_and_the_store(tmp_path: Path) -> None:
    bill = a_bill(tmp_path, severity="error")
    bill.had(days=9)
    bill.run()
    blocked = bill.run(factor=9)
    made = accept(bill, blocked)
    root = runs_folder(bill.job(), "orders", bill.ctx)
    files = run_files(root, bill.ctx)
    fold(files, old_runs(files, root, time.time() + 1, ()))
    assert acceptance.accepted(bill.job(), "orders", bill.ctx) == made
    assert {record.plan_id for record in records(bill.ctx)} >= {made[0].run}
