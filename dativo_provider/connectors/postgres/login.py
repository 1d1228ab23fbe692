"""From a job's `connection`, or an Airflow connection, to libpq's parameters.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from dativo_provider.connectors.database.login import address_of
from dativo_provider.connectors.postgres.driver import psycopg2_module
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["parameters"]

_ALIASES = {"database": "dbname", "db": "dbname", "username": "user", "login": "user"}
# No `passfile` and no `service`: a job must not borrow the credentials of the account that runs it.
_ALLOWED = frozenset(
    "host hostaddr port dbname user password sslmode sslrootcert sslcert sslkey sslpassword sslcrl sslsni "
    "ssl_min_protocol_version gssencmode channel_binding target_session_attrs load_balance_hosts options "
    "application_name connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count "
    "tcp_user_timeout client_encoding".split()
)
_DEFAULTS = {
    "application_name": "dativo",
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_NOWHERE = "/nonexistent/dativo"
# Values that win over PGPASSWORD, ~/.pgpass, ~/.postgresql and the tickets of the account that runs us.
_CLOSED = {
    "password": "", "passfile": _NOWHERE, "sslcert": _NOWHERE, "gssencmode": "disable", "client_encoding": "UTF8",
}  # fmt: skip
# What a job may not name itself: files with keys, and sockets on which the account that runs us counts as known.
_OPERATORS = ("sslcert", "sslkey", "sslpassword")
_DIALECT = re.compile(r"^(postgres|postgresql)\+\w+://")


def parameters(source: SourceSpec, ctx: RunContext) -> dict[str, Any]:
    """Everything `psycopg2.connect` needs. Raises `ConfigurationError`, `CredentialError`."""
    found = address_of(source, ctx, ("postgres",), _from_job, _from_airflow)
    if not found.get("host") and not found.get("hostaddr"):
        raise ConfigurationError("the source has no host", remedy="set source.connection.host, or a url")
    return {**_DEFAULTS, **_CLOSED, **found}


def _from_job(connection: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in connection.items() if key not in ("url", "dsn") and value not in (None, "")}
    text = str(connection.get("url") or connection.get("dsn") or "")
    given = {**(_from_text(text) if text else {}), **_named(plain)}
    sockets = [name for name in str(given.get("host") or "").split(",") if name.strip().startswith(("/", "@"))]
    refused = [*(key for key in _OPERATORS if key in given), *(f"host {name}" for name in sockets)]
    if refused:
        raise ConfigurationError(
            f"a job may not set {', '.join(refused)} of a connection itself",
            remedy="put it into an Airflow connection and name that by `connection_id`",
        )
    return given


def _from_text(text: str) -> dict[str, Any]:
    psycopg2 = psycopg2_module()
    try:
        parsed: dict[str, Any] = psycopg2.extensions.parse_dsn(_DIALECT.sub("postgresql://", text))
    except psycopg2.ProgrammingError as error:
        raise ConfigurationError(
            f"the connection's url cannot be read: {str(error).strip().partition(':')[0]}",
            remedy="write postgresql://user:password@host:5432/database?sslmode=require, special characters as %XX",
        ) from None
    return _named(parsed)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    named = {_ALIASES.get(key, key): value for key, value in values.items()}
    for key in named.keys() - _ALLOWED:
        near = get_close_matches(key, sorted(_ALLOWED | set(_ALIASES)), 1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ConfigurationError(
            f"a PostgreSQL connection has no parameter '{key}'",
            remedy=f"{hint}known: host, port, database, user, password, url, sslmode, sslrootcert, options, …",
        )
    return {key: str(value) if key in ("host", "dbname", "user", "password") else value for key, value in named.items()}


def _from_airflow(found: Connection) -> dict[str, Any]:
    own = {
        "host": found.host, "port": found.port, "user": found.login, "password": found.password,
        "dbname": found.schema,
    }  # fmt: skip
    extra = {key: value for key, value in found.extra.items() if key in _ALLOWED}
    return _named({key: value for key, value in {**extra, **own}.items() if value not in (None, "")})
