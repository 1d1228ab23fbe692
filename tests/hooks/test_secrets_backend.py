"""Airflow sees a tenant's secrets as connections, whatever operator asks."""

from __future__ import annotations

import json

import pytest

from dativo_provider.hooks.secrets_backend import DativoSecretsBackend
from tests.support import requirement


@pytest.fixture
def backend(tmp_path):
    (tmp_path / "acme").mkdir()
    for name, text in {
        "stripe": "sk_live_1",
        "shop": '{"host": "db", "user": "reader", "password": "hunter2", "dbname": "shop", "sslmode": "require"}',
        "uri": "postgresql://reader:pw@db:5432/shop",
        "json_with_url": '{"host": "api", "password": "hunter2", "token_url": "https://id.example.com/token"}',
        "pairs_with_url": "TOKEN_URL=https://id.example.com/token\npassword=hunter2",
    }.items():
        (tmp_path / "acme" / name).write_text(text)
    (tmp_path / "runner.yaml").write_text(f"secrets: {{provider: filesystem, filesystem: {{secrets_dir: {tmp_path}}}}}")
    return DativoSecretsBackend(runner_config=str(tmp_path))


@requirement("SN-04", "SEC-02")
def test_a_secret_is_an_airflow_connection(backend):
    assert backend.get_connection("acme__stripe").password == "sk_live_1"
    found = backend.get_connection("acme__shop")
    assert (found.host, found.login, found.password, found.schema) == ("db", "reader", "hunter2", "shop")
    assert found.extra_dejson == {"sslmode": "require"}
    found = backend.get_connection("acme__uri")
    assert (found.conn_type, found.port, found.password) == ("postgres", 5432, "pw")
    assert backend.get_variable("dativo__acme__stripe") == "sk_live_1"


def test_a_secret_with_an_address_in_it_is_no_uri(backend):
    found = backend.get_connection("acme__json_with_url")
    assert (found.conn_type, found.host, found.password) == ("generic", "api", "hunter2")
    assert found.extra_dejson == {"token_url": "https://id.example.com/token"}
    found = backend.get_connection("acme__pairs_with_url")
    assert (found.conn_type, found.password) == ("generic", "hunter2")
    assert found.extra_dejson == {"TOKEN_URL": "https://id.example.com/token"}


@requirement("SEC-05")
@pytest.mark.parametrize("name", ["acme__absent", "globex__stripe", "stripe", "our_vault", "acme__../acme/key", "__x"])
def test_what_is_not_a_tenants_secret_is_left_to_airflow(backend, name):
    assert backend.get_conn_value(name) is None
    assert backend.get_variable(name) is None
    assert backend.get_variable(f"dativo__{name}") is None


def test_airflow_opens_it_as_its_settings_name_it(monkeypatch, tmp_path):
    from airflow.configuration import initialize_secrets_backends

    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "key").write_text("k1")
    (tmp_path / "runner.yaml").write_text(f"secrets: {{provider: fs, filesystem: {{secrets_dir: {tmp_path}}}}}")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "dativo_provider.hooks.secrets_backend.DativoSecretsBackend")
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"runner_config": str(tmp_path)}))
    first = initialize_secrets_backends()[0]
    assert first.get_connection("acme__key").password == "k1"
