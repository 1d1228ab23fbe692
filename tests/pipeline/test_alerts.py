"""Alert rules over real runs: trailing means, gaps in history, and messages once per window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.alerts import AlertSpec
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.notices import ChannelSpec
from dativo_provider.model.stream import Field
from tests.notify.servers import Inbox, http_inbox
from tests.pipeline.build import ORDERS
from tests.pipeline.test_notices import Told, events
from tests.support import requirement

pytestmark = pytest.mark.one_set  # rules are judged and told the same way whatever the table's library is

SPIKE = "daily_cost > avg_cost_7d * 1.5"
DAILY = TransformSpec("daily", "daily_cost", "sum(amount) over (partition by region)", windowed=True)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with http_inbox() as found:
        yield found


def bench(root: Path, inbox: Inbox, condition: str = SPIKE, **more: Any) -> Told:
    made = Told(root, **more)
    channel = ChannelSpec("slack", "slack", url=inbox.url, channel="#finops-alerts")
    made.job["alerts"] = (AlertSpec("high_cost_spike", condition, (channel,)),)
    return made


def costs(made: Told, day: int, *amounts: float, hour: float = 0) -> None:
    lines = [f"{n},eu,{amount},2026-01-01T00:00:00Z" for n, amount in enumerate(amounts)]
    assert made.go(f"{day}-{hour}.csv", *lines, hours=24 * day + hour).error is None


@requirement("DQ-14", "TAG-09")
def test_a_spike_of_daily_cost_is_told_once_a_day_and_when_it_is_over(tmp_path: Path, inbox: Inbox) -> None:
    made = bench(tmp_path, inbox, transforms=[DAILY])
    for day in range(4):
        costs(made, day, 60, 40)
    assert inbox.received == []  # 100 is usual
    costs(made, 4, 90, 61)
    (got,) = inbox.received
    assert got.json["channel"] == "#finops-alerts"
    assert "daily_cost = 151, avg_cost_7d = 100" in got.json["blocks"][1]["text"]["text"]
    costs(made, 4, 200, hour=1)  # the same day's rows do not count as usual, and nobody hears of it twice
    assert len(inbox.received) == 1
    costs(made, 4, 10, hour=2)
    assert len(inbox.received) == 2
    assert "in order again" in inbox.received[1].json["text"]


@requirement("DQ-14")
def test_without_enough_history_nobody_knows_what_is_usual(tmp_path: Path, inbox: Inbox) -> None:
    made = bench(tmp_path, inbox, "sum(amount) > avg_sum_amount_7d * 1.5")
    costs(made, 0, 1)
    costs(made, 1, 1)
    costs(made, 2, 1000)  # two days before it
    assert inbox.received == []
    costs(made, 20, 1000)  # and none of the last seven days
    assert inbox.received == []


@requirement("DQ-14")
def test_days_without_a_run_do_not_count_and_days_with_many_count_once(tmp_path: Path, inbox: Inbox) -> None:
    made = bench(tmp_path, inbox, "sum(amount) > avg_sum_amount_7d")
    for hour in range(3):
        costs(made, 0, 400, hour=hour)
    costs(made, 3, 100)
    costs(made, 5, 100)
    costs(made, 6, 201)  # usual is (400 + 100 + 100) / 3, not (3 * 400 + 200) / 5 and not 600 / 7
    assert "avg_sum_amount_7d = 200" in inbox.received[-1].json["blocks"][1]["text"]["text"]


@requirement("DQ-14")
def test_counts_of_rows_are_numbers_too_even_of_a_run_without_rows(tmp_path: Path, inbox: Inbox) -> None:
    made = bench(tmp_path, inbox, "rows_accepted == 0 or rows_quarantined / rows_extracted > 0.3")
    costs(made, 0, 1)
    assert inbox.received == []
    made.later = timedelta(hours=1)
    assert made.run().error is None
    assert len(inbox.received) == 1


@requirement("DQ-14")
def test_a_value_that_is_missing_neither_breaches_nor_ends_a_breach(tmp_path: Path, inbox: Inbox) -> None:
    made = bench(tmp_path, inbox, "amount > 100")
    costs(made, 0, 500)
    assert len(inbox.received) == 1
    made.later = timedelta(hours=1)
    made.run()  # no rows, so no greatest amount
    assert len(inbox.received) == 1
    costs(made, 0, 5, hour=2)
    assert len(inbox.received) == 2


@requirement("DQ-14")
@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_rules_see_the_rows_of_the_run_in_every_mode(tmp_path: Path, inbox: Inbox, mode: Any) -> None:
    made = bench(tmp_path, inbox, "sum(amount) == 30", target={"mode": mode}, stream={"key": ("id",)})
    costs(made, 0, 10, 20)
    assert len(inbox.received) == 1


@requirement("DQ-14")
def test_personal_numbers_are_not_shown(tmp_path: Path, inbox: Inbox) -> None:
    fields = (*ORDERS[:2], Field("amount", "decimal(12,2)", classification="PII"), *ORDERS[3:])
    made = bench(tmp_path, inbox, "amount > 100", fields=fields)
    costs(made, 0, 54321)
    assert "54321" not in inbox.received[0].raw.decode().replace(",", "")
    assert "personal" in inbox.received[0].raw.decode()


@requirement("DQ-14")
def test_a_rule_that_cannot_be_looked_at_never_fails_a_run(
    tmp_path: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dativo_provider.pipeline import alerts

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(alerts, "_measured", fail)
    made = bench(tmp_path, inbox, "amount > 1")
    costs(made, 0, 5)
    made.job["alerts"] = (AlertSpec("other", "of_no_column > 1", ()),)
    costs(made, 1, 5)
    assert events(inbox) == []
