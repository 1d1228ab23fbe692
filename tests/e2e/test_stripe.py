"""Stripe into Iceberg, by the example job of its page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.stripe import Stripe
from tests.e2e.trial import Trial
from tests.support import requirement


@pytest.fixture
def stripe() -> Iterator[Stripe]:
    made = Stripe(Clock(datetime.now(UTC) - timedelta(hours=2)))
    with serving(made):
        yield made


@pytest.fixture
def job(trial: Trial, stripe: Stripe) -> Path:
    trial.secret("stripe", stripe.credentials["api_key"])
    few = ["customers", "subscriptions", "subscription_items", "prices"]
    return trial.example("stripe", "stripe", {"base_url": stripe.url}, objects=few)


@requirement("CON-01")
def test_tables_follow_what_happens_in_the_account(trial: Trial, stripe: Stripe, job: Path) -> None:
    customers = stripe.add("customers", 130)
    stripe.make("prices", stripe.clock.now(), active=False)
    made = stripe.make("subscriptions", stripe.clock.now(), items={"object": "list", "has_more": True, "data": [
        {"id": f"si_{each}", "created": 1, "subscription": "?", "price": {"id": "price_1"}} for each in range(12)
    ]})  # fmt: skip
    assert trial.dativo("validate", job).code == 0
    trial.succeeds(job)
    stripe.clock.forward(minutes=90)
    stripe.touch("customers", customers[:2])
    stripe.remove("customers", customers[2:5])
    made["status"] = "canceled"
    stripe.tell("subscriptions", made, "deleted", stripe.clock.now())
    report = trial.succeeds(job)
    assert report["books"]["extracted"] == 5
    changed = "count(*) filter (where metadata like '%touched%') as changed"
    found = trial.rows(
        job, f"select count(*) n, count(distinct id) d, sum(balance)::bigint b, {changed} from customers"
    )
    assert found == [{"n": 127, "d": 127, "b": -1250 * 127, "changed": 2}]
    assert trial.rows(job, "select status from subscriptions") == [{"status": "canceled"}]
    assert trial.rows(job, "select count(*) n from subscription_items") == [{"n": 12}]
    assert trial.rows(job, "select active, unit_amount_decimal::varchar d from prices") == [
        {"active": False, "d": "100.125000000001"}
    ]


@requirement("CON-01")
def test_check_and_discover_of_the_job(trial: Trial, stripe: Stripe, job: Path) -> None:
    assert "source ok" in trial.dativo("check", "--config", job).out
    found = trial.dativo("discover", "--config", job, "--json").json["objects"]
    assert {"customers", "invoice_lines", "events"} <= {each["name"] for each in found}
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__STRIPE", "rk_live_expired")
    refused = trial.dativo("check", "--config", job)
    assert refused.code == 2
    assert "make a new key in the Dashboard" in refused.out + refused.err
    assert "rk_live_expired" not in refused.out + refused.err
