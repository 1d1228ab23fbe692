"""Airflow connections without Airflow: `AIRFLOW_CONN_<ID>` as URI or JSON; Airflow itself only for other ids.

Forms: https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html#storing-connections-in-environment-variables
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from dativo_provider.errors import CredentialError
from dativo_provider.model.context import Connection

__all__ = ["EnvironmentConnections", "from_airflow", "parse_connection"]


class EnvironmentConnections:
    """Looks in `variables`, then asks `elsewhere` (Airflow)."""

    def __init__(self, variables: Mapping[str, str], elsewhere: Callable[[str], Connection] | None = None) -> None:
        self._variables, self._elsewhere = variables, elsewhere

    def get(self, connection_id: str) -> Connection:
        name = f"AIRFLOW_CONN_{connection_id.upper()}"
        if value := self._variables.get(name):
            return parse_connection(value, name)
        if self._elsewhere:
            return self._elsewhere(connection_id)
        raise missing(connection_id)


def missing(connection_id: str) -> CredentialError:
    return CredentialError(
        f"there is no connection '{connection_id}'",
        remedy=f"set AIRFLOW_CONN_{connection_id.upper()} to its URI or JSON, or add it to Airflow",
    )


def from_airflow(connection_id: str) -> Connection:
    """The connection as Airflow knows it (secrets backends, metadata database). Raises `CredentialError`."""
    try:
        from dativo_provider.hooks.connections import AirflowConnections

        return AirflowConnections().get(connection_id)
    except Exception as error:  # Airflow absent, not migrated, or without this id: all mean "not here"
        raise missing(connection_id) from error


def parse_connection(value: str, name: str) -> Connection:
    """Raises `CredentialError` naming the variable; the value is never part of the message."""
    try:
        return _from_json(value) if value.lstrip().startswith("{") else _from_uri(value)
    except (ValueError, TypeError, AttributeError):
        raise CredentialError(
            f"{name} is neither a connection URI nor connection JSON",
            remedy="postgres://login:password@host:5432/database, with special characters percent-encoded",
        ) from None


def _from_json(value: str) -> Connection:
    data = json.loads(value)
    extra = data.get("extra") or {}
    return Connection(
        conn_type=_type(data.get("conn_type") or ""),
        host=data.get("host") or "",
        port=int(data["port"]) if data.get("port") else None,
        login=data.get("login") or "",
        password=data.get("password") or "",
        schema=data.get("schema") or "",
        extra=json.loads(extra) if isinstance(extra, str) else dict(extra),
    )


def _from_uri(value: str) -> Connection:
    parts = urlsplit(value)
    if not parts.scheme:
        raise ValueError("no scheme")
    query: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = json.loads(query.pop("__extra__")) if "__extra__" in query else query
    return Connection(
        conn_type=_type(parts.scheme),
        host=_host(parts.netloc),
        port=parts.port,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        schema=unquote(parts.path[1:]),
        extra=extra,
    )


def _host(netloc: str) -> str:
    """Kept in its own case, which `urlsplit(...).hostname` is not (a socket folder may be the host)."""
    host = netloc.rpartition("@")[2]
    return unquote(host[: host.rindex("]")].lstrip("[") if host.startswith("[") else host.partition(":")[0])


def _type(name: str) -> str:
    return {"postgresql": "postgres"}.get(name, name).replace("-", "_")
