from __future__ import annotations

from types import SimpleNamespace

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.operators.context import run_context
from tests.operators.samples import airflow_context


def in_folder(folder):
    return {**airflow_context(), "dag": SimpleNamespace(fileloc=str(folder / "loader.py"))}


def test_a_task_sees_the_deployments_settings_and_carries_its_labels(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATIVO__WAREHOUSE", "s3://lake/warehouse")
    ctx = run_context(airflow_context(), {"tenant": "acme", "job": "orders"})
    assert ctx.settings.catalog.warehouse == "s3://lake/warehouse"
    assert ctx.labels == {"tenant": "acme", "job": "orders", "run": "manual__1"}


def test_secrets_come_from_where_the_runner_file_beside_the_loader_says(tmp_path, airflow_db):
    (tmp_path / "secrets" / "acme").mkdir(parents=True)
    (tmp_path / "secrets" / "acme" / "token").write_text("from-a-file\n")
    runner = f"runner: {{secrets: {{provider: filesystem, filesystem: {{secrets_dir: {tmp_path / 'secrets'}}}}}}}\n"
    (tmp_path / "runner.yaml").write_text(runner)
    assert run_context(in_folder(tmp_path), {}).secrets.get("acme", "token") == "from-a-file"


def test_secrets_may_be_kept_in_airflow_alone(tmp_path, monkeypatch, airflow_db):
    (tmp_path / "runner.yaml").write_text("runner: {secrets: {provider: airflow}}\n")
    monkeypatch.setenv("DATIVO_SECRET__ACME__TOKEN", "from the environment")
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__ACME__KEY", "from Airflow")
    secrets = run_context(in_folder(tmp_path), {}).secrets
    assert secrets.get("acme", "key") == "from Airflow"
    with pytest.raises(CredentialError):
        secrets.get("acme", "token")


def test_without_a_runner_file_secrets_come_from_the_environment(tmp_path, monkeypatch, airflow_db):
    monkeypatch.setenv("DATIVO_SECRET__ACME__TOKEN", "from the environment")
    assert run_context(in_folder(tmp_path), {}).secrets.get("acme", "token") == "from the environment"
