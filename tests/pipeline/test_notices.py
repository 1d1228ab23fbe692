"""Runs that tell people: once per window, again when it is over, and never at the run's expense."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.context import RunContext
from dativo_provider.model.notices import ChannelSpec, NotificationSpec
from dativo_provider.model.run import RunRequest
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.run import StreamReport, run
from dativo_provider.pipeline.steps import sync
from tests.notify.servers import Inbox, http_inbox
from tests.pipeline.build import ORDERS, Bench
from tests.support import requirement

pytestmark = pytest.mark.one_set  # messages do not depend on the table's library

GOOD, BAD = "1,eu,5.00,2026-01-01T00:00:00Z", "2,eu,-5.00,2026-01-02T00:00:00Z"
POSITIVE = {"type": "range", "column": "amount", "min": 0, "name": "amount is positive"}
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with http_inbox() as found:
        yield found


class Told(Bench):
    """A bench whose job tells `inbox`; `later` is how long after the first the next run is."""

    later = timedelta()

    def tell(self, inbox: Inbox, **spec: Any) -> None:
        self.job["notification"] = NotificationSpec((ChannelSpec("hook", "webhook", url=inbox.url),), **spec)

    def context(self, home: Path | None = None, **settings: Any) -> RunContext:
        ctx = super().context(home, **settings)
        ctx.now = lambda: START + self.later
        return ctx

    def go(self, name: str, *lines: str, hours: float = 0, **request: Any) -> StreamReport:
        self.later = timedelta(hours=hours)
        self.csv(name, *lines)
        (stream,) = run(self.spec(), self.context(), RunRequest(**request)).streams
        return stream


def events(inbox: Inbox) -> list[tuple[str, list[str]]]:
    found = [(got.json["event"], [each["title"] for each in got.json["notices"]]) for got in inbox.received]
    inbox.received.clear()
    return found


@requirement("SN-09", "DQ-13")
def test_a_violation_is_told_once_per_window_and_when_it_is_over(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, rules=[POSITIVE])
    bench.tell(inbox, window_seconds=6 * 3600)
    bench.go("a.csv", GOOD)
    assert events(inbox) == []
    bench.go("b.csv", GOOD, BAD, hours=1)
    assert events(inbox) == [("firing", ["amount is positive"])]
    bench.go("c.csv", GOOD, BAD, hours=3)
    assert events(inbox) == []
    bench.go("d.csv", GOOD, BAD, hours=8)
    assert events(inbox) == [("firing", ["amount is positive"])]
    bench.later = timedelta(hours=9)
    bench.run()  # nothing new says nothing about amounts
    assert events(inbox) == []
    bench.go("e.csv", GOOD, hours=10)
    assert events(inbox) == [("resolved", ["amount is positive"])]
    bench.go("f.csv", GOOD, BAD, hours=11)  # flapping within the window
    bench.go("g.csv", GOOD, hours=12)
    assert events(inbox) == []


@requirement("DQ-13")
def test_several_violations_of_a_run_are_one_message(tmp_path: Path, inbox: Inbox) -> None:
    rules = [POSITIVE, {"type": "enum", "column": "region", "values": ["eu"], "name": "region is known"}]
    bench = Told(tmp_path, rules=rules)
    bench.tell(inbox, template="{asset_name} {violation_count}: {violations_list}")
    bench.go("a.csv", GOOD, "2,us,-5.00,2026-01-02T00:00:00Z")
    (got,) = inbox.received
    assert [notice["title"] for notice in got.json["notices"]] == ["amount is positive", "region is known"]
    assert got.json["text"].startswith("acme.orders 2: - amount is positive: 1 of 2 rows fail")
    assert got.json["quarantine_path"] == "acme.orders_quarantine"


@requirement("DQ-13", "DQ-04")
def test_a_blocked_run_is_told_and_so_is_its_end(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, rules=[{"type": "row_count", "min": 2, "name": "enough rows"}])
    bench.tell(inbox)
    assert bench.go("a.csv", GOOD).error is not None
    assert events(inbox) == [("firing", ["enough rows"])]
    assert bench.go("b.csv", GOOD, BAD, hours=1).error is None
    assert events(inbox) == [("resolved", ["enough rows"])]


@requirement("DQ-13")
def test_stale_rows_are_told_although_the_run_fails_after_publishing(tmp_path: Path, inbox: Inbox) -> None:
    fresh = {"type": "freshness", "column": "updated_at", "max_age_hours": 1, "name": "orders are fresh"}
    bench = Told(tmp_path, rules=[fresh])
    bench.tell(inbox)
    report = bench.go("a.csv", GOOD)
    assert report.error is not None
    assert report.published is not None
    assert events(inbox) == [("firing", ["orders are fresh"])]


@requirement("DQ-13")
def test_a_step_that_runs_again_tells_nobody_twice(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, rules=[POSITIVE])
    bench.tell(inbox)
    report = bench.go("a.csv", GOOD, BAD)
    assert report.plan is not None
    assert len(events(inbox)) == 1
    sync(report.plan.path, bench.context())
    assert events(inbox) == []


@requirement("DQ-13")
def test_what_nobody_took_is_told_by_the_next_run(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, rules=[POSITIVE])
    bench.tell(inbox)
    inbox.answers = [(403, {})]
    assert bench.go("a.csv", GOOD, BAD).error is None
    assert len(events(inbox)) == 1
    assert bench.go("b.csv", BAD, GOOD, hours=1).error is None
    assert events(inbox) == [("firing", ["amount is positive"])]


@requirement("DQ-13")
def test_a_dry_run_tells_nobody(tmp_path: Path, inbox: Inbox) -> None:
    bench = Told(tmp_path, rules=[POSITIVE])
    bench.tell(inbox)
    bench.go("a.csv", GOOD, BAD, dry_run=True)
    assert inbox.received == []


@requirement("DQ-13", "SEC-05")
def test_messages_hold_no_personal_value_and_no_secret(tmp_path: Path, inbox: Inbox) -> None:
    fields = (*ORDERS[:1], Field("region", "string", classification="PII"), *ORDERS[2:])
    rules = [{"type": "enum", "column": "region", "values": ["eu"], "name": "region is known"}]
    bench = Told(tmp_path, fields=fields, rules=rules)
    bench.tell(inbox)
    bench.go("a.csv", GOOD, "2,jane.doe@example.com,5.00,2026-01-02T00:00:00Z")
    (got,) = inbox.received
    assert "jane" not in got.raw.decode()
    assert "1 of 2 rows fail" in got.json["text"]
