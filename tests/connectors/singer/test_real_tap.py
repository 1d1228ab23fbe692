"""A tap from PyPI, in the environment that `dativo env create` made for it, from YAML to Iceberg."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, dativo, own_logs
from tests.e2e.trial import Trial
from tests.services.postgres import Database
from tests.support import requirement

__all__ = ["dativo", "own_logs"]

TABLE = """
    create table orders (id bigint primary key, region text, amount numeric(12,2), updated_at timestamptz,
                         details jsonb, born date)
"""
TAP = {"tap": "tap-postgres", "tap_package": "pipelinewise-tap-postgres", "tap_version": "2.1.0"}
ROWS = """
    insert into orders select n, 'north', n + 0.25, timestamptz '2026-03-01 12:00:00.123456Z' + n * interval '1 second',
                              jsonb_build_object('n', n), date '2000-01-01' + n::int
    from generate_series({}, {}) n
"""


@pytest.fixture
def trial(tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch, bridges: Path) -> Trial:
    made = Trial(tmp_path, dativo, monkeypatch)
    monkeypatch.setenv("DATIVO_ENVS", str(bridges))
    return made


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute(TABLE, ROWS.format(1, 50))
    return database


def told(database: Database) -> dict[str, Any]:
    params = database.params
    known = {name: str(params[name]) for name in ("host", "port", "user")}
    return {**known, "password": "${SECRET:shop}", "dbname": params["database"]}


def job(trial: Trial, shop: Database, connector: str, source: dict[str, Any]) -> Path:
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__SHOP", shop.params["password"] or "n0t-needed-here")
    facts = {
        "tenant_id": "acme",
        "source_connector": connector,
        "source": {"incremental": {"cursor_field": "updated_at"}, "tables": [{"name": "public.orders"}], **source},
        "asset_path": trial.contract(
            details={"logicalType": "object", "properties": [{"name": "n", "logicalType": "integer"}]},
            born={"logicalType": "date"},
        ),
        "target": {"write_mode": "append"},
        "retry_config": {"max_retries": 0},
    }
    path = trial.tenant / "jobs" / "orders.yaml"
    path.write_text(json.dumps(facts))
    return path


@requirement("CFG-16", "STA-09")
def test_a_real_tap_brings_each_row_once_into_iceberg(trial: Trial, shop: Database) -> None:
    path = job(trial, shop, "singer", {"connection": told(shop), "options": TAP})
    trial.succeeds(path)
    shop.execute(ROWS.format(51, 61))
    trial.succeeds(path)
    assert trial.ids() == list(range(1, 62))
    (last_row,) = trial.table().scan(row_filter="id = 61").to_arrow().to_pylist()
    assert last_row["amount"] == Decimal("61.25")
    assert last_row["updated_at"] == datetime(2026, 3, 1, 12, 1, 1, 123456, tzinfo=UTC)
    assert last_row["details"] == {"n": 61}
    assert last_row["born"] == date(2000, 3, 2)


@requirement("CFG-16")
def test_a_tap_as_the_engine_of_a_connector_reads_as_well(trial: Trial, shop: Database) -> None:
    engine = {"type": "meltano", "options": {"meltano": {**TAP, "tap_config": told(shop)}}}
    trial.succeeds(job(trial, shop, "postgres", {"engine": engine}))
    assert trial.ids() == list(range(1, 51))
