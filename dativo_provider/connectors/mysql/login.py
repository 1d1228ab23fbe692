"""From a job's `connection`, or an Airflow connection, to PyMySQL's parameters.

https://pymysql.readthedocs.io/en/latest/modules/connections.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from dativo_provider.connectors.database.login import address_of
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["Login", "parameters"]

Tls = Literal["disabled", "preferred", "required", "verify_ca", "verify_identity"]
_TLS: tuple[Tls, ...] = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
_ALIASES = {"db": "database", "dbname": "database", "schema": "database", "username": "user", "login": "user"}
_PLAIN = frozenset({"host", "port", "database", "user", "password", "connect_timeout", "read_timeout"})
_SSL = {"ssl_mode": "mode", "sslmode": "mode", "ssl_ca": "ca", "sslrootcert": "ca"}
# What a job may not name itself: files of the account that runs us, its sockets, and what would let a server read it.
_OPERATORS = frozenset({
    "unix_socket", "read_default_file", "read_default_group", "ssl_cert", "ssl_key", "ssl_key_password",
    "init_command", "local_infile", "plugin_dir", "defer_connect", "auth_plugin_map",
})  # fmt: skip


@dataclass(frozen=True)
class Login:
    """`values` are PyMySQL's, without TLS."""

    values: Mapping[str, Any]
    tls: Tls = "preferred"
    ca: str = ""

    @property
    def place(self) -> str:
        return f"{self.values['host']}:{self.values['port']}/{self.values.get('database') or ''}"


def parameters(source: SourceSpec, ctx: RunContext) -> Login:
    """Raises `ConfigurationError`, `CredentialError`."""
    return _login(address_of(source, ctx, ("mysql", "mariadb"), _from_job, _from_airflow))


def _login(found: Mapping[str, Any]) -> Login:
    known = _named(found)
    if not known.get("host"):
        raise ConfigurationError("the source has no host", remedy="set source.connection.host, or a url")
    if str(known["host"]).startswith(("/", "@")):
        raise ConfigurationError("a job may not name a socket of this machine", remedy="write a host and a port")
    mode = str(known.pop("mode", "preferred")).lower().replace("-", "_")
    if mode not in _TLS:
        raise ConfigurationError(f"ssl mode '{mode}' is unknown", remedy=f"write one of: {', '.join(_TLS)}")
    ca = str(known.pop("ca", ""))
    values = {"port": 3306, "connect_timeout": 10, "user": "", "password": "", **known}
    named = ("connect_timeout", "read_timeout")
    waits: dict[str, Any] = {name: _seconds(name, values[name]) for name in named if name in values}
    return Login({**values, **waits, "port": _port(values["port"])}, next(each for each in _TLS if each == mode), ca)


def _port(value: Any) -> int:
    if not str(value).isdigit():
        raise ConfigurationError(f"port '{value}' is no number", remedy="write the port, 3306 for most servers")
    return int(value)


def _seconds(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name} '{value}' is no number", remedy="write seconds") from None


def _from_job(connection: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in connection.items() if key not in ("url", "dsn") and value not in (None, "")}
    text = str(connection.get("url") or connection.get("dsn") or "")
    found = {**(_from_url(text) if text else {}), **plain}
    refused = sorted(_OPERATORS & found.keys())
    if refused:
        raise ConfigurationError(
            f"a job may not set {', '.join(refused)} of a connection", remedy="remove it; TLS is set by `ssl`"
        )
    return found


def _from_url(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    if parts.scheme.partition("+")[0] not in ("mysql", "mariadb") or not parts.hostname:
        raise ConfigurationError(
            "the connection's url cannot be read",
            remedy="write mysql://user:password@host:3306/database?ssl_mode=required, special characters as %XX",
        )
    found = {
        "host": parts.hostname, "port": parts.port, "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""), "database": unquote(parts.path.strip("/")),
    }  # fmt: skip
    return {**{key: value for key, value in found.items() if value}, **dict(parse_qsl(parts.query))}


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    ssl = values.get("ssl")
    flat = {**{key: value for key, value in values.items() if key != "ssl"}, **_ssl(ssl)}
    named = {_ALIASES.get(key, _SSL.get(key, key)): value for key, value in flat.items()}
    for key in named.keys() - _PLAIN - {"mode", "ca"}:
        near = get_close_matches(key, sorted(_PLAIN | set(_ALIASES) | set(_SSL)), 1)
        raise ConfigurationError(
            f"a MySQL connection has no parameter '{key}'",
            remedy=(f"did you mean '{near[0]}'? " if near else "")
            + "known: host, port, database, user, password, url, ssl (mode, ca), connect_timeout, read_timeout",
        )
    texts = ("host", "database", "user", "password")
    return {key: str(value) if key in texts else value for key, value in named.items()}


def _ssl(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {f"ssl_{key}": value for key, value in given.items()}
    return {} if given is None else {"ssl_mode": "required" if given in (True, "true") else "disabled"}


def _from_airflow(found: Connection) -> dict[str, Any]:
    own = {
        "host": found.host, "port": found.port, "user": found.login, "password": found.password,
        "database": found.schema, "ssl": found.extra.get("ssl"),
    }  # fmt: skip
    return {**{key: value for key, value in found.extra.items() if key in _SSL or key in _PLAIN}, **own}
