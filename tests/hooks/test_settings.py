from __future__ import annotations

import json

import pytest
from airflow.sdk.configuration import conf

from dativo_provider.hooks.settings import is_distributed, load_settings, setting_values
from dativo_provider.model.context import Connection


class Known:
    def __init__(self, **connections: Connection) -> None:
        self.connections = connections

    def get(self, connection_id: str) -> Connection:
        return self.connections[connection_id]


def test_airflows_section_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATIVO__WAREHOUSE", "s3://lake/warehouse")
    values = setting_values({"DATIVO_WAREHOUSE": "s3://other", "DATIVO_THREADS": "8", "DATIVO_HOME": ""})
    assert values == {"warehouse": "s3://lake/warehouse", "threads": "8"}


def test_without_a_home_everything_is_kept_below_airflow_home():
    assert load_settings(Known(), {"AIRFLOW_HOME": "/opt/airflow"}).home == "/opt/airflow/dativo"


def test_a_catalog_may_be_an_airflow_connection():
    db = Connection("postgres", "db.internal", 5432, "lake", "p@ss", "catalog")
    settings = load_settings(Known(lake_db=db), {"DATIVO_CATALOG_URI": "connection:lake_db"})
    assert settings.catalog.properties["uri"] == "postgresql+psycopg2://lake:p%40ss@db.internal:5432/catalog"


def test_keys_of_an_object_store_may_be_an_airflow_connection():
    s3 = Connection("aws", login="AKIA", password="very-secret", extra={"s3.region": "eu-central-1"})
    settings = load_settings(
        Known(s3=s3), {"DATIVO_CATALOG_PROPERTIES": "connection:s3", "DATIVO_WAREHOUSE": "s3://lake/w"}
    )
    assert settings.catalog.properties["s3.secret-access-key"] == "very-secret"
    assert settings.catalog.properties["s3.region"] == "eu-central-1"
    json.dumps(dict(settings.catalog.properties))


def test_a_rest_catalog_may_be_an_airflow_connection():
    http = Connection("https", "https://catalog.internal", schema="api")
    values = {"DATIVO_CATALOG_URI": "connection:rest", "DATIVO_CATALOG_TYPE": "rest"}
    assert load_settings(Known(rest=http), values).catalog.properties["uri"] == "https://catalog.internal/api"


@pytest.mark.parametrize(
    ("executor", "distributed"),
    [
        ("LocalExecutor", False),
        ("airflow.executors.local_executor.LocalExecutor", False),
        ("CeleryExecutor", True),
        ("LocalExecutor,KubernetesExecutor", True),
        ("LocalExecutor;acme=CeleryExecutor", True),
        ("ecs:airflow.providers.amazon.aws.executors.ecs.AwsEcsExecutor", True),
        ("airflow.providers.amazon.aws.executors.aws_lambda.AwsLambdaExecutor", True),
    ],
)
def test_only_the_local_executor_keeps_a_run_on_one_machine(monkeypatch, executor, distributed):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    assert conf.get("core", "executor") == executor
    assert is_distributed({}) is distributed
    assert load_settings(Known(), {}).distributed is distributed


def test_a_kubernetes_pod_claims_the_local_executor_but_is_known_by_its_variable():
    assert is_distributed({"AIRFLOW_IS_K8S_EXECUTOR_POD": "True"})
