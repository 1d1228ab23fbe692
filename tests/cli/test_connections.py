from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.cli.connections import EnvironmentConnections, parse_connection
from dativo_provider.errors import CredentialError
from dativo_provider.model.context import Connection


def test_a_uri_is_read_as_airflow_reads_it() -> None:
    found = parse_connection("postgresql://me:p%40ss@Db.Example:5433/shop?sslmode=require", "X")
    assert found == Connection("postgres", "Db.Example", 5433, "me", "p@ss", "shop", {"sslmode": "require"})


def test_extra_of_a_uri_may_be_json() -> None:
    found = parse_connection("aws://?__extra__=%7B%22region%22%3A%20%22eu%22%2C%20%22n%22%3A%201%7D", "X")
    assert found.extra == {"region": "eu", "n": 1}


@pytest.mark.parametrize("extra", ['{"sslmode": "disable"}', {"sslmode": "disable"}])
def test_json_may_hold_extra_as_text_or_as_object(extra: object) -> None:
    import json

    value = json.dumps({"conn_type": "postgresql", "host": "db", "port": "5432", "login": "me", "extra": extra})
    found = parse_connection(value, "X")
    assert (found.conn_type, found.port, dict(found.extra)) == ("postgres", 5432, {"sslmode": "disable"})


def test_a_socket_folder_and_an_ipv6_address_are_hosts() -> None:
    assert parse_connection("postgres://u:p@%2Fvar%2Frun:5432/db", "X").host == "/var/run"
    assert parse_connection("postgres://u:p@[::1]:5432/db", "X").host == "::1"


@given(password=st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_any_password_survives_percent_encoding(password: str) -> None:
    try:
        encoded = quote(password, safe="")
    except UnicodeEncodeError:
        return
    assert parse_connection(f"postgres://u:{encoded}@h/db", "X").password == password


@pytest.mark.parametrize(
    "value", ["not a uri s3cret", '{"port": "s3cret"}', "{s3cret", "postgres://u:s3cret@h:port/db"]
)
def test_a_broken_value_is_named_but_never_shown(value: str) -> None:
    with pytest.raises(CredentialError) as caught:
        parse_connection(value, "AIRFLOW_CONN_SHOP")
    assert "AIRFLOW_CONN_SHOP" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_environment_is_asked_before_airflow() -> None:
    def elsewhere(connection_id: str) -> Connection:
        return Connection(host=f"airflow:{connection_id}")

    connections = EnvironmentConnections({"AIRFLOW_CONN_GLOBEX_SHOP": "postgres://here/db"}, elsewhere)
    assert connections.get("globex_shop").host == "here"
    assert connections.get("other").host == "airflow:other"


def test_a_missing_connection_says_how_to_make_it() -> None:
    with pytest.raises(CredentialError, match="AIRFLOW_CONN_GLOBEX_SHOP"):
        EnvironmentConnections({}).get("globex_shop")


def test_passwords_stay_out_of_repr() -> None:
    assert "hunter2" not in repr(parse_connection("postgres://u:hunter2@h/db", "X"))
