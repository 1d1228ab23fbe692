"""One connection, and read-only transactions on it whose text output does not depend on the server's settings."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from dativo_provider.connectors.postgres.driver import psycopg2_module
from dativo_provider.connectors.postgres.errors import refused
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.sql import literal
from dativo_provider.errors import ConfigurationError, Unsupported

__all__ = ["Session", "connect"]

T = TypeVar("T")
_FORMATS = {
    "timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "iso_8601", "bytea_output": "hex",
    "extra_float_digits": "3", "standard_conforming_strings": "on", "idle_in_transaction_session_timeout": "0",
}  # fmt: skip
_OLDEST = 120000  # as libpq counts versions
_GRACE = 2.0  # seconds a cancelled query gets before its socket is shut


class Session:
    """`begin` opens a transaction in which `rows` may be called; a transaction pooler may stand between.

    `known` is what was learnt about the server that stays true for as long as the connection lives.
    """

    def __init__(self, connection: Any, options: Options) -> None:
        self.connection, self.options = connection, options
        self.known: dict[Hashable, Any] = {}

    def begin(self, snapshot: str = "") -> None:
        """One snapshot, read-only, until `rollback`."""
        settings = {**_FORMATS}
        if self.options.lock_timeout:
            settings["lock_timeout"] = self.options.lock_timeout
        if self.options.statement_timeout:
            settings["statement_timeout"] = self.options.statement_timeout
        first = ["begin isolation level repeatable read read only"]
        if snapshot:
            first.append(f"set transaction snapshot {literal(snapshot)}")
        self.execute("; ".join([*first, *(f"set local {key} = {literal(value)}" for key, value in settings.items())]))

    def rollback(self) -> None:
        if not self.connection.closed:
            self.execute("rollback")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.begin()
        try:
            yield self
        finally:
            with contextlib.suppress(psycopg2_module().Error):
                self.rollback()

    def execute(self, statement: str) -> None:
        in_background(lambda: self._run(statement, None), self.cancel)

    def rows(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """`values` fill `%s`; without them the statement goes as it is."""
        return in_background(lambda: self._run(statement, values), self.cancel)

    def columns(self, query: str) -> list[Any]:
        """What the query would yield: psycopg2's column descriptions."""

        def described() -> list[Any]:
            with self.connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.description)

        return in_background(described, self.cancel)

    def _run(self, statement: str, values: Sequence[Any] | None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    @property
    def pid(self) -> int:
        return int(self.connection.info.backend_pid)

    def cancel(self) -> None:
        """Ends the running statement; shuts the socket when the server does not listen. From any thread."""
        asked = threading.Thread(target=self._ask, name="dativo-cancel", daemon=True)
        asked.start()
        asked.join(_GRACE)
        if asked.is_alive():
            self.shut()

    def _ask(self) -> None:
        with contextlib.suppress(Exception):  # it may be closed by now
            self.connection.cancel()

    def shut(self) -> None:
        """Every wait on this connection ends now; on the server too, once it is closed, by a reset."""
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(self.connection.fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            twin.shutdown(socket.SHUT_RDWR)

    def reusable(self) -> bool:
        """No transaction is open, and the server still answers."""
        try:
            if self.connection.info.transaction_status:
                self.execute("rollback")
            return self.rows("select 1") == [(1,)]
        except psycopg2_module().Error:
            return False

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.connection.close()


def connect(parameters: Mapping[str, Any], options: Options) -> Session:
    """Raises `CredentialError`, `ConfigurationError` or `SourceUnavailable`."""
    psycopg2 = psycopg2_module()
    try:
        connection = psycopg2.connect(**parameters)
    except psycopg2.OperationalError as error:
        translated = refused(error, _place(parameters))
        if isinstance(translated, ConfigurationError) and _is_missing_database(translated):
            translated.remedy += _databases(parameters)
        raise translated from None
    connection.autocommit = True
    return Session(_recent(connection), options)


def _place(parameters: Mapping[str, Any]) -> str:
    """The server and database that were asked for; libpq says the first only."""
    host, port = parameters.get("host") or parameters.get("hostaddr") or "", parameters.get("port") or 5432
    return f"{host}:{port}/{parameters.get('dbname') or ''}"


def _recent(connection: Any) -> Any:
    version = connection.server_version
    if version >= _OLDEST:
        return connection
    connection.close()
    raise Unsupported(
        f"the server speaks PostgreSQL's protocol as version {version // 10000}.{version // 100 % 100}",
        remedy="PostgreSQL 12 or newer is read by this connector",
    )


def _is_missing_database(error: ConfigurationError) -> bool:
    return "database" in error.message and "does not exist" in error.message


def _databases(parameters: Mapping[str, Any]) -> str:
    """Which databases there are, where the server tells us."""
    psycopg2 = psycopg2_module()
    with contextlib.suppress(psycopg2.Error):
        connection = psycopg2.connect(**{**parameters, "dbname": "postgres"})
        try:
            cursor = connection.cursor()
            cursor.execute("select datname from pg_database where not datistemplate and datallowconn order by 1")
            return f" (there are: {', '.join(name for (name,) in cursor.fetchall()[:20])})"
        finally:
            connection.close()
    return ""


def in_background(work: Callable[[], T], cancel: Callable[[], None]) -> T:
    """`work()` in a thread of its own: libpq waits without hearing signals, we do not."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="dativo-query", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        cancel()
        thread.join(2 * _GRACE)
        raise
    if failure:
        raise failure[0]
    return outcome[0]
