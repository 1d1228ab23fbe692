from __future__ import annotations

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.hooks.secrets import AirflowSecrets, variable_key
from dativo_provider.secrets import FileSecrets, open_secrets
from tests.support import requirement


@requirement("TEN-01")
def test_a_secret_is_the_tenants_own_variable(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__ACME__KEY", "of-acme")
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__GLOBEX__KEY", "of-globex")
    assert AirflowSecrets().get("acme", "key") == "of-acme"
    assert AirflowSecrets().get("globex", "KEY") == "of-globex"


def test_a_secret_for_all_tenants_is_read_when_the_tenant_has_none(monkeypatch, airflow_db):
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__GLOBAL__KEY", "shared")
    assert AirflowSecrets().get("acme", "key") == "shared"


def test_one_field_of_a_json_variable_can_be_named(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__ACME__SHOP_DB", '{"user": "reader", "password": "hunter22"}')
    assert AirflowSecrets().get("acme", "shop-db.password") == "hunter22"


@requirement("TEN-01")
@pytest.mark.parametrize(
    ("tenant", "name"), [("acme", "globex__key"), ("acme", "_key"), ("acme_", "key"), ("a__b", "key")]
)
def test_no_two_tenants_can_meet_in_one_variable(tenant, name):
    with pytest.raises(CredentialError):
        AirflowSecrets().get(tenant, name)


def test_keys_of_different_tenants_differ():
    assert variable_key("acme", "eu_key") != variable_key("acme_eu", "key")


def test_what_airflow_does_not_have_comes_from_the_environment(airflow_db):
    found = AirflowSecrets(open_secrets({}, {"DATIVO_SECRET__ACME__TOKEN": "t0ken"})).get("acme", "token")
    assert found == "t0ken"


def test_a_secret_that_is_nowhere_names_every_place(airflow_db):
    with pytest.raises(CredentialError, match="secret 'token' of tenant 'acme'") as caught:
        AirflowSecrets(open_secrets({}, {})).get("acme", "token")
    assert "dativo__acme__token" in caught.value.where
    assert "DATIVO_SECRET__" in caught.value.where


def test_values_are_masked_in_airflows_logs(monkeypatch):
    from airflow.sdk.log import redact

    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__ACME__KEY", "correct-horse-battery")
    AirflowSecrets().get("acme", "key")
    assert "correct-horse" not in str(redact("the key is correct-horse-battery"))


class Variables:
    """Airflow's, with a secrets backend before the database that only reads."""

    def __init__(self, database: dict[str, str], backend: dict[str, str]) -> None:
        self.database, self.backend = database, backend

    def get(self, key: str, default: str | None = None) -> str | None:
        return self.backend.get(key, self.database.get(key, default))

    def set(self, key: str, value: str) -> None:
        self.database[key] = value


@requirement("SEC-04")
def test_a_field_is_written_back_into_its_variable(monkeypatch):
    found = Variables({"dativo__acme__crm": '{"refresh_token": "r1", "client_id": "me"}'}, {})
    monkeypatch.setattr("airflow.sdk.Variable", found)
    AirflowSecrets().prove("acme", "crm.refresh_token")
    assert AirflowSecrets().get("acme", "crm.refresh_token") == "r1"
    AirflowSecrets().put("acme", "crm.refresh_token", "r2")
    assert AirflowSecrets().get("acme", "crm.refresh_token") == "r2"
    assert AirflowSecrets().get("acme", "crm.client_id") == "me"


@requirement("SEC-04", "SEC-05")
def test_what_cannot_be_written_for_this_tenant_alone_is_refused(monkeypatch):
    old = '{"refresh_token": "r1"}'
    for database, backend in (({}, {"dativo__acme__crm": old}), ({"dativo__global__crm": old}, {})):
        monkeypatch.setattr("airflow.sdk.Variable", Variables(database, backend))
        with pytest.raises(CredentialError, match="has changed"):
            AirflowSecrets().put("acme", "crm.refresh_token", "r2")
        assert AirflowSecrets().get("acme", "crm.refresh_token") == "r1"


@requirement("SEC-04")
def test_what_airflow_does_not_have_is_written_where_it_was_found(monkeypatch, tmp_path):
    monkeypatch.setattr("airflow.sdk.Variable", Variables({}, {}))
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "crm").write_text("r1")
    found = AirflowSecrets(FileSecrets(tmp_path))
    found.prove("acme", "crm")
    assert found.get("acme", "crm") == "r1"
    found.put("acme", "crm", "r2")
    assert found.get("acme", "crm") == "r2"
    with pytest.raises(CredentialError):
        AirflowSecrets().prove("acme", "crm")
