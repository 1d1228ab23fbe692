"""A stream that a tap cannot follow, from YAML to Iceberg."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, dativo, own_logs
from tests.conformance.readers import rows_of
from tests.connectors.singer.world import OPTIONS, TOKEN, SingerWorld
from tests.e2e.trial import Trial
from tests.support import requirement

__all__ = ["dativo", "own_logs"]


@requirement("CFG-16")
def test_a_stream_that_comes_whole_each_time_is_not_appended_to_itself(
    tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, world = Trial(tmp_path, dativo, monkeypatch), SingerWorld(tmp_path)
    world.add(rows_of(20))
    monkeypatch.setenv("DATIVO_ENVS", str(world.envs))
    monkeypatch.setenv("DATIVO_SECRET__ACME__TAP", TOKEN)
    facts = {
        "tenant_id": "acme",
        "source_connector": "singer",
        "source": {
            "connection": {"path": str(world.path), "token": "${SECRET:tap}"},
            "options": OPTIONS,
            "incremental": {"strategy": "incremental"},
            "tables": [{"name": "things", "object": "orders"}],
        },
        "asset_path": trial.contract(region=None, id={"logicalType": "integer"}),
        "target": {"write_mode": "append"},
        "retry_config": {"max_retries": 0},
    }
    path = trial.tenant / "jobs" / "orders.yaml"
    path.write_text(json.dumps(facts))
    for start in (21, 22):
        trial.succeeds(path)
        assert trial.ids() == list(range(1, start))
        world.add(rows_of(1, start))
