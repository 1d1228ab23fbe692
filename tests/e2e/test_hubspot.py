"""HubSpot into Iceberg, by the example job of its page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.hubspot import HubSpot
from tests.e2e.trial import Trial
from tests.support import requirement


@pytest.fixture
def hubspot() -> Iterator[HubSpot]:
    made = HubSpot(Clock(datetime.now(UTC) - timedelta(hours=2)))
    made.properties["deals"] = [{"name": "margin", "label": "Margin", "type": "number", "hubspotDefined": False}]
    made.quotas.clear()  # they count in the fake's time, and these runs take real time
    with serving(made):
        yield made


@pytest.fixture
def job(trial: Trial, hubspot: HubSpot) -> Path:
    trial.secret("hubspot", hubspot.credentials["api_key"])
    return trial.example("hubspot", "crm", {"base_url": hubspot.url}, objects=["deals", "deal_contacts"])


@requirement("CON-02")
def test_tables_follow_the_account_with_properties_of_its_own(trial: Trial, hubspot: HubSpot, job: Path) -> None:
    deals = hubspot.add("deals", 250)
    for deal in deals:
        hubspot.records["deals"][deal]["properties"] |= {"margin": "12.5", "amount": "", "hs_is_closed": "true"}
    hubspot.associations["deals", deals[0], "contacts"] = ["1", "2"]
    assert trial.dativo("validate", job).code == 0
    assert trial.succeeds(job)["books"]["extracted"] == 250
    hubspot.clock.forward(minutes=60)
    hubspot.records["deals"][deals[0]]["properties"]["margin"] = "-0.25"
    hubspot.touch("deals", deals[:1])
    hubspot.remove("deals", deals[-2:])
    trial.succeeds(job)
    asked = (
        "select count(*) n, sum(margin)::varchar m, count(amount) a, count(*) filter (where hs_is_closed) c from deals"
    )
    [found] = trial.rows(job, asked)
    assert (found["n"], float(found["m"]), found["a"], found["c"]) == (248, 247 * 12.5 - 0.25, 0, 248)
    assert trial.rows(job, "select count(*) n from deal_contacts") == [{"n": 2}]


@requirement("CON-02")
def test_discover_lists_properties_of_your_own(trial: Trial, hubspot: HubSpot, job: Path) -> None:
    assert "source ok" in trial.dativo("check", "--config", job).out
    found = {each["name"]: each for each in trial.dativo("discover", "--config", job, "--json").json["objects"]}
    assert "margin" in str(found["deals"])
