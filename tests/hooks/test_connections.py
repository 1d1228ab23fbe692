from __future__ import annotations

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.hooks.connections import AirflowConnections


def test_a_connection_arrives_with_everything_the_engine_reads(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", "postgres://reader:s%40fe@db.internal:5433/shop?sslmode=require")
    found = AirflowConnections().get("acme_shop")
    assert (found.conn_type, found.host, found.port, found.schema) == ("postgres", "db.internal", 5433, "shop")
    assert (found.login, found.password, found.extra) == ("reader", "s@fe", {"sslmode": "require"})
    assert "s@fe" not in repr(found)


def test_a_password_that_was_fetched_is_shown_nowhere(monkeypatch):
    from dativo_provider.observability import MASKER

    monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", "postgres://reader:correct-horse@db/shop")
    AirflowConnections().get("acme_shop")
    assert "correct-horse" not in MASKER.mask("could not log in as reader with correct-horse")


def test_a_rotated_password_is_seen_by_the_next_caller(monkeypatch):
    connections = AirflowConnections()
    for password in ("first", "second"):
        monkeypatch.setenv("AIRFLOW_CONN_ACME_SHOP", f"postgres://reader:{password}@db/shop")
        assert connections.get("acme_shop").password == password


def test_a_missing_connection_says_how_to_make_it(airflow_db):
    with pytest.raises(CredentialError, match="no connection 'acme_gone'") as caught:
        AirflowConnections().get("acme_gone")
    assert "airflow connections add acme_gone" in caught.value.remedy
