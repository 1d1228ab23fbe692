"""A source from PyPI, in the environment that `dativo env create` made for it, from YAML to Iceberg."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, dativo, own_logs
from tests.e2e.trial import Trial
from tests.support import requirement

__all__ = ["dativo", "own_logs"]


@requirement("CFG-16")
@pytest.mark.slow
def test_a_real_source_brings_its_rows_into_iceberg(
    tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch, bridges: Path
) -> None:
    monkeypatch.setenv("DATIVO_ENVS", str(bridges))
    trial = Trial(tmp_path, dativo, monkeypatch)
    path = trial.tenant / "jobs" / "users.yaml"
    path.write_text(
        json.dumps({
            "tenant_id": "acme",
            "source_connector": "airbyte",
            "source": {
                "connection": {"count": 1200, "seed": 7, "parallelism": 1, "always_updated": False},
                "engine": {"options": {"package": "airbyte-source-faker", "version": "7.2.1"}},
                "objects": ["users"],
                "key": ["id"],
                "incremental": {"strategy": "incremental"},
            },
        })
    )  # fmt: skip
    trial.succeeds(path)
    assert trial.ids("acme.users") == list(range(1, 1201))
    table = trial.table("acme.users")
    assert str(table.schema().find_type("updated_at")) == "timestamptz"
    assert str(table.schema().find_type("age")) == "long"
    assert all("@" in each for each in trial.values("acme.users", "email"))
    state = next(value for name, value in table.properties.items() if name.startswith("dativo.state."))
    assert "loop_offset" in state
