"""The page that every run leaves in its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.model.stream import Field
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.report import report_of
from dativo_provider.store import open_store
from tests.pipeline.build import ORDERS, Bench
from tests.support import requirement

pytestmark = pytest.mark.one_set  # reports are made from the store

GOOD, BAD = "1,eu,5.00,2026-01-01T00:00:00Z", "2,eu,-5.00,2026-01-02T00:00:00Z"
POSITIVE = {"type": "range", "column": "amount", "min": 0, "name": "amount <is> positive"}
FEW = {"type": "row_count", "max": 1, "name": "few rows"}


def left(bench: Bench, plan_id: str) -> str:
    (found,) = bench.home.glob(f"warehouse/_dativo/runs/acme/*/orders/{plan_id}/report.html")
    return found.read_text()


@requirement("DQ-17")
def test_every_run_leaves_one_a_blocked_one_too_and_a_dry_run_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[POSITIVE, FEW])
    bench.csv("a.csv", GOOD)
    assert bench.run(dry_run=True).error is None
    assert not list(bench.home.glob("**/report.html"))
    published = bench.run()
    bench.csv("b.csv", GOOD, BAD, GOOD)
    blocked = bench.run()
    assert (published.error is None, blocked.error is None) == (True, False)
    assert published.plan
    assert blocked.plan
    assert "<td>published</td>" in left(bench, published.plan.plan_id)
    page = left(bench, blocked.plan.plan_id)
    assert "<td>blocked</td>" in page
    assert "amount &lt;is&gt; positive" in page
    assert "Score of the last 2 runs" in page


@requirement("DQ-17")
def test_a_run_is_not_hindered_by_a_report_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(RunFolder, "write_report", full)
    bench = Bench(tmp_path, rules=[FEW])
    bench.csv("a.csv", GOOD)
    assert bench.run().error is None
    assert "no report of acme.orders orders was left" in caplog.text
    bench.csv("b.csv", GOOD, GOOD)
    error = bench.run().error
    assert error is not None
    assert "the run is blocked" in str(error)


@requirement("DQ-17")
def test_of_a_personal_column_and_of_a_run_nobody_remembers_only_counts_are_shown(tmp_path: Path) -> None:
    region = Field("region", "string", classification="pii")
    fields = [region if field.name == "region" else field for field in ORDERS]
    bench = Bench(tmp_path, fields=fields, rules=[POSITIVE, {"type": "enum", "column": "region", "values": ["eu"]}])
    bench.csv("a.csv", GOOD, "2,somebody,5.00,2026-01-02T00:00:00Z")
    made = bench.run()
    assert made.plan is not None
    store = open_store(bench.context())
    record = store.get(made.plan.plan_id)
    assert record is not None
    assert record.verdict is not None
    told = tuple(
        replace(result, outcome="failed", message=f"{result.name} saw somebody") for result in record.verdict.results
    )
    reasons = tuple(result.message for result in told)
    record = replace(record, verdict=replace(record.verdict, results=told, reasons=reasons))
    page = report_of(record, bench.context())
    assert page.count("amount &lt;is&gt; positive saw somebody") == 2, "in the reasons and among the checks"
    assert "check 1 saw somebody" not in page
    assert "saw somebody" not in report_of(replace(record, folder=""), bench.context())
