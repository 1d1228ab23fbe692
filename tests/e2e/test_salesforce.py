"""Salesforce into Iceberg: objects with their own fields, by REST and in bulk, deletions included."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.salesforce import Salesforce
from tests.e2e.trial import Trial
from tests.support import requirement


@pytest.fixture
def salesforce() -> Iterator[Salesforce]:
    made = Salesforce(Clock(datetime.now(UTC) - timedelta(hours=2)))
    made.held_back = 0
    with serving(made):
        yield made


@pytest.fixture
def job(trial: Trial, salesforce: Salesforce) -> Path:
    trial.secret("salesforce_id", "3MVG9")
    trial.secret("salesforce_secret", "cl1ent-s3cret")
    return trial.example("salesforce", "crm", {"base_url": salesforce.url, "bulk_above": 50}, objects=["Account"])


@requirement("CON-09")
def test_accounts_come_in_bulk_and_then_as_they_change_and_go(trial: Trial, salesforce: Salesforce, job: Path) -> None:
    known = salesforce.add("Account", 60)
    assert trial.succeeds(job)["books"]["extracted"] == 60
    salesforce.clock.forward(minutes=90)
    salesforce.touch("Account", known[5:15])
    salesforce.remove("Account", known[:5])
    assert trial.succeeds(job)["books"]["extracted"] == 15
    query = "select count(*) n, sum(AnnualRevenue) s, count(Score__c) c, min(OwnerType) o from Account"
    [found] = trial.rows(job, query)
    assert (found["n"], found["c"], found["o"]) == (55, 55, "User")
    assert float(found["s"]) == 27 * 1_250_000.5
