"""The operators of the blueprints, run as a task runs them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dativo_provider.errors import ConfigurationError, StorageUnavailable
from dativo_provider.model.maintenance import Upkeep
from dativo_provider.operators.doctor import DoctorOperator
from dativo_provider.operators.maintain import MaintainOperator
from tests.dag_factory.folders import everything, make_job, make_tenant
from tests.operators.samples import airflow_context


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setenv("DATIVO_HOME", str(tmp_path / "home"))
    make_job(tmp_path / "dags")
    made = airflow_context()
    return {**made, "dag": SimpleNamespace(fileloc=str(tmp_path / "dags" / "dativo_loader.py"))}


def test_maintenance_of_a_job_without_tables_does_nothing(context):
    done = MaintainOperator(
        task_id="maintain", tenant="acme", job="maintenance", stream="", file="tenants/acme/jobs/orders.yaml"
    ).execute(context)
    assert {each["outcome"] for each in done} == {"nothing"}


def test_a_job_that_failed_fails_the_task_after_the_others(context, monkeypatch):
    found = [Upkeep("compact", "acme.orders", "files", outcome="failed", note="away"), Upkeep("expire", "t", "files")]
    monkeypatch.setattr("dativo_provider.pipeline.maintain.maintain", lambda *_, **__: found)
    operator = MaintainOperator(
        task_id="maintain", tenant="acme", job="maintenance", stream="", file="tenants/acme/jobs/orders.yaml"
    )
    with pytest.raises(StorageUnavailable, match="compact: away"):
        operator.execute(context)


def test_the_doctor_reports_a_healthy_deployment(context):
    found = DoctorOperator(task_id="doctor").execute(context)
    assert {each["check"] for each in found} >= {"catalog", "warehouse", "store", "jobs", "secrets"}


def test_the_doctor_fails_where_something_fails(context, tmp_path):
    (make_tenant(tmp_path / "dags") / "jobs" / "orders.yaml").write_text("tenant_id: acme\ncolour: red\n")
    with pytest.raises(ConfigurationError, match=r"orders\.yaml has mistakes"):
        DoctorOperator(task_id="doctor").execute(context)


def test_the_doctors_dag_is_there_once_and_started_by_hand(tmp_path, monkeypatch):
    make_job(tmp_path)
    dag = everything(tmp_path)["dativo.doctor"]
    assert dag.schedule is None
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "dativo.doctor")
    assert set(everything(tmp_path)) == {"dativo.doctor"}
