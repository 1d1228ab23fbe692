"""A first load that is larger than a day's quota: each day brings what it may, and the table has every row once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.connectors.rest.fake import Answer, FakeApi, serving
from tests.connectors.rest.reading import add
from tests.connectors.rest.toy import SPEC
from tests.e2e.trial import Trial
from tests.support import requirement

pytestmark = pytest.mark.slow
ROWS = 1_000


@pytest.fixture
def api() -> Iterator[FakeApi]:
    made = FakeApi()
    with serving(made) as made.url:
        yield made


def job(trial: Trial, api: FakeApi, mode: str) -> Any:
    stream = SPEC["streams"]["cursor"] | {"incremental": {"cursor": "updated_at", "resumes": True}}
    (trial.tenant / "connectors").mkdir()
    (trial.tenant / "connectors" / "toy.yaml").write_text(json.dumps(SPEC | {"streams": {"orders": stream}}))
    trial.secret("toy", api.token)
    path = trial.tenant / "jobs" / "toy.yaml"
    source = {"objects": ["orders"], "connection": {"base_url": api.url, "token": "${SECRET:toy}"},
              "incremental": {"strategy": "updated_at"}}  # fmt: skip
    said = {"tenant_id": "acme", "source_connector": "toy", "source": source, "target": {"write_mode": mode}}
    path.write_text(json.dumps(said))
    return path


@requirement("ERR-05", "STA-04")
@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_load_larger_than_a_days_quota_goes_on_day_by_day(trial: Trial, api: FakeApi, mode: str) -> None:
    add(api, ROWS, every=timedelta(seconds=0.1))
    path, most = job(trial, api, mode), 0
    used_up = Answer(429, {"message": "daily limit"}, {"Retry-After": "86400"})
    api.faults.append(lambda asked: used_up if len(api.asked) > most else None)
    seen = []
    for _ in range(3):
        most = len(api.asked) + 5
        trial.succeeds(path)
        seen.append(len(trial.ids("acme.orders")))
    assert 0 < seen[0] < seen[1] < seen[2] == ROWS
    assert trial.ids("acme.orders") == list(range(1, ROWS + 1))
    most = 0
    trial.run(path)
    assert len(trial.ids("acme.orders")) == ROWS
