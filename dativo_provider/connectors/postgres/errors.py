"""PostgreSQL's errors in our tree. https://www.postgresql.org/docs/current/errcodes-appendix.html"""

from __future__ import annotations

from typing import Any

from dativo_provider.connectors.postgres.driver import psycopg2_module
from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DataError,
    DativoError,
    SourceChanged,
    SourceUnavailable,
)

__all__ = ["refused", "translate"]

Answer = tuple[type[DativoError], str]

_CHECK_UP = "check that the server is up and reachable from this machine; the run may be repeated"
_LOGIN: Answer = (CredentialError, "check user, password and the server's pg_hba.conf for this user, host and database")
_SSL: Answer = (ConfigurationError, "check sslmode and sslrootcert of the connection")
_SETTING: Answer = (ConfigurationError, "correct this parameter of the connection")

# What libpq says when no session came about; there is no SQLSTATE then. First match wins.
_REFUSALS: tuple[tuple[str, Answer], ...] = (
    ("password authentication failed", _LOGIN),
    ("no password supplied", _LOGIN),
    ("no pg_hba.conf entry", _LOGIN),
    ("authentication failed", _LOGIN),
    ("authentication method", _LOGIN),
    ("is not permitted to log in", _LOGIN),
    ("permission denied for database", _LOGIN),
    ("too many connections", (SourceUnavailable, "wait, or raise the limit of connections")),
    ("remaining connection slots", (SourceUnavailable, "wait, or raise max_connections of the server")),
    ("certificate", _SSL),
    ("server does not support SSL", _SSL),
    ("SSL error", _SSL),
    ("sslmode value", _SSL),
    ("invalid port", _SETTING),
    ("invalid connection option", _SETTING),
    ("invalid integer value", _SETTING),
    ("unrecognized configuration parameter", _SETTING),
    ("unsupported startup parameter", (ConfigurationError, "a pooler stands between: remove `options`")),
    ("could not translate host name", (SourceUnavailable, "check the host's name, and that this machine resolves it")),
)

# By SQLSTATE, the longest prefix wins.
_STATES: dict[str, Answer] = {
    "08": (SourceUnavailable, _CHECK_UP),
    "22": (DataError, "correct the expression, or the rows it cannot work with"),
    "22021": (DataError, "write in `query`: convert_from(convert(column::bytea, 'LATIN1', 'UTF8'), 'SQL_ASCII')"),
    "25006": (ConfigurationError, "a source query must only read"),
    "28": _LOGIN,
    "3D000": (ConfigurationError, "correct source.connection.database"),
    "3F000": (SourceChanged, "correct the schema's name, or restore the schema"),
    "40": (SourceUnavailable, "the server gave way to another transaction; repeat the run"),
    "42": (ConfigurationError, "correct `query` or `where` of the stream"),
    "42501": (CredentialError, "grant this user SELECT on it, and USAGE on its schema"),
    "42703": (SourceChanged, "correct the column's name, or restore the column"),
    "42P01": (SourceChanged, "correct the table's name, or restore the table"),
    "53": (SourceUnavailable, "the server is short of resources; repeat the run later"),
    "54": (DataError, "the query is beyond a limit of the server; read fewer or smaller columns"),
    "55P03": (SourceUnavailable, "another session holds a lock on it; repeat the run, or raise lock_timeout"),
    "57014": (SourceUnavailable, "somebody cancelled our query; repeat the run"),
    "57P": (SourceUnavailable, _CHECK_UP),
    "72": (SourceUnavailable, "the server has removed rows this snapshot needs; repeat the run"),
    "P0": (DataError, "a function of the database refused"),
    "XX": (DataError, "the server cannot read its own data; see its log"),
}  # fmt: skip
# In these classes the server's message may quote values of rows.
_PERSONAL = ("22", "P0", "XX")


def translate(error: Exception, where: str = "") -> DativoError | None:
    """The error of our tree for one of psycopg2's; None for others."""
    psycopg2 = psycopg2_module()
    if not isinstance(error, psycopg2.Error):
        return None
    state = error.pgcode or ""
    if not state:
        return refused(error, where)
    message = _message(error, state)
    kind, remedy = _timed_out(message) or next(
        (_STATES[state[:size]] for size in range(5, 0, -1) if state[:size] in _STATES),
        (DataError, "see the server's log"),
    )
    return kind(message, where=where, remedy=remedy, sqlstate=state)


def refused(error: Exception, where: str = "") -> DativoError:
    """For a connection that was refused, or broke."""
    lines = (" ".join(line.split()) for line in str(error).splitlines())
    text = "; ".join(filter(None, lines)) or "the connection broke"
    missing_role = "role" in text and "does not exist" in text
    kind, remedy = _LOGIN if missing_role else _refusal(text)
    return kind(text, where=where, remedy=remedy)


def _refusal(text: str) -> Answer:
    if "database" in text and "does not exist" in text:
        return _STATES["3D000"]
    return next((answer for words, answer in _REFUSALS if words in text), (SourceUnavailable, _CHECK_UP))


def _message(error: Any, state: str) -> str:
    if state.startswith(_PERSONAL):
        name = psycopg2_module().errorcodes.lookup(state).replace("_", " ").lower()
        return f"the server could not compute a value: {name} ({state})"
    return str(error.diag.message_primary or " ".join(str(error).split()))


def _timed_out(message: str) -> Answer | None:
    if "statement timeout" in message:
        return ConfigurationError, "raise options.statement_timeout, or read the stream in several slices"
    return None
