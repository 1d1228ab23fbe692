"""Jobs, plans and Airflow contexts for tests of the Airflow face."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dativo_provider.model.job import (
    ContractSpec,
    IncrementalSpec,
    JobSpec,
    ScheduleSpec,
    SourceSpec,
    StreamSpec,
    TargetSpec,
)
from dativo_provider.model.run import Lane, Plan, RunRequest, State
from dativo_provider.model.stream import Field, Window

FIELDS = (
    Field("order_id", "long", required=True, description="Number of the order"),
    Field("email", "string", classification="pii"),
    Field("updated_at", "timestamptz", required=True),
)
CONTRACT = ContractSpec(
    "orders", "1.2.0", fields=FIELDS, primary_key=("order_id",), owner="shop-data@example.com", domain="commerce",
    description="One row per order.",
)  # fmt: skip
STREAM = StreamSpec("orders", "data/orders/*.csv", "orders", CONTRACT)
INCREMENTAL = IncrementalSpec("updated_at", "updated_at", lookback_seconds=3600)


def sample_job(**changes: Any) -> JobSpec:
    given: dict[str, Any] = {
        "tenant": "acme",
        "name": "orders",
        "id": "orders",
        "source": SourceSpec("csv"),
        "target": TargetSpec(namespace="acme"),
        "streams": (STREAM,),
        "schedule": ScheduleSpec(cron="0 6 * * *", timezone="Europe/Berlin"),
        "path": "/dags/tenants/acme/jobs/orders.yaml",
    }
    return JobSpec(**(given | changes))


def sample_plan(**changes: Any) -> Plan:
    given: dict[str, Any] = {
        "plan_id": "20261120T060000-0a1b2c3d",
        "run_id": "manual__1",
        "job": sample_job(),
        "stream": "orders",
        "lane": Lane(),
        "request": RunRequest(),
        "table": "acme.orders",
        "quarantine_table": "acme.orders__quarantine",
        "table_location": "file:///w/orders",
        "quarantine_location": "file:///w/orders__quarantine",
        "folder": "file:///w/_dativo/runs/acme/orders/orders/20261120T060000-0a1b2c3d",
        "fields": FIELDS,
        "checks": (),
        "window": Window(),
        "slices": (),
        "base": State(),
        "created_at": "2026-11-20T06:00:00+00:00",
    }
    return Plan(**(given | changes))


class FakeTask:
    """The task instance of Airflow's context, as far as operators use it."""

    def __init__(self, try_number: int = 1, max_tries: int = 3) -> None:
        self.try_number, self.max_tries = try_number, max_tries
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def airflow_context(run_type: str = "manual", task: FakeTask | None = None, **params: Any) -> dict[str, Any]:
    run = SimpleNamespace(run_id="manual__1", run_type=run_type, data_interval_start=None, data_interval_end=None)
    return {"params": params, "dag_run": run, "ti": task or FakeTask()}
