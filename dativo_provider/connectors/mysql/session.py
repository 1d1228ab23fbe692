"""One connection, and read-only transactions on it whose text output does not depend on the server's settings."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dativo_provider.connectors.mysql.driver import pymysql_module
from dativo_provider.connectors.mysql.errors import ACCESS_DENIED, NO_DATABASE, UNHEARD, translate
from dativo_provider.connectors.mysql.login import Login
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.errors import Unsupported

__all__ = ["Session", "connect"]

_GRACE = 2.0  # seconds a cancelled query gets before its socket is shut
_MODES = frozenset({"NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI", "PAD_CHAR_TO_FULL_LENGTH", "ORACLE", "MSSQL", "DB2"})
_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}  # who has vanished is missed after a minute
_OLDEST = {"mysql": (5, 7), "mariadb": (10, 4)}
_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)")


class Session:
    """`begin` opens a transaction in which `rows` may be called."""

    def __init__(self, connection: Any, options: Options, login: Login) -> None:
        self.connection, self.options, self.login = connection, options, login
        self.version = str(connection.get_server_info())
        self.mariadb = "mariadb" in self.version.lower()
        self._reading = self._cancelled = False

    @property
    def _broken(self) -> bool:
        return self._reading or self._cancelled

    def prepare(self) -> None:
        """Settings of the connection. Literals have one form, moments one zone, and slow readers are waited for."""
        modes = str(self.rows("select @@session.sql_mode")[0][0]).split(",")
        kept = ",".join(mode for mode in modes if mode and mode not in _MODES)
        settings = {
            "time_zone": "'+00:00'", "sql_mode": f"'{kept}'", "net_write_timeout": "3600", "net_read_timeout": "600",
            "wait_timeout": "28800",
        }  # fmt: skip
        if self.options.lock_timeout:
            settings |= dict.fromkeys(("lock_wait_timeout", "innodb_lock_wait_timeout"), str(self.options.lock_timeout))
        if self.options.statement_timeout is not None:
            seconds = self.options.statement_timeout
            name = "max_statement_time" if self.mariadb else "max_execution_time"
            settings[name] = str(seconds if self.mariadb else seconds * 1000)
        self.execute("set " + ", ".join(f"session {name} = {value}" for name, value in settings.items()))
        self.execute("set session transaction isolation level repeatable read")

    def begin(self) -> None:
        """One snapshot of what InnoDB holds, read-only, until `rollback`."""
        self.execute("start transaction with consistent snapshot, read only")

    def rollback(self) -> None:
        if self.connection.open and not self._broken:
            self.execute("rollback")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.begin()
        try:
            yield self
        finally:
            with contextlib.suppress(pymysql_module().err.MySQLError):
                self.rollback()

    def execute(self, statement: str) -> None:
        self.rows(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Values come as text, as the server writes them, and NULL as None."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def named(self, statement: str) -> list[dict[str, Any]] | None:
        """Rows by name, of a statement that this account or server may not know: then None."""
        pymysql = pymysql_module()
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(statement)
                names = [each[0] for each in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in UNHEARD:
                return None
            raise

    def fields(self, query: str) -> list[Any]:
        """What the query would yield: PyMySQL's descriptors of its columns. It is prepared, not run.

        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
        """
        from pymysql.constants.COMMAND import COM_STMT_CLOSE, COM_STMT_PREPARE
        from pymysql.protocol import FieldDescriptorPacket

        connection = self.connection
        connection._execute_command(COM_STMT_PREPARE, query)
        _, statement, columns, parameters = struct.unpack_from("<BIHH", connection._read_packet().get_all_data())
        for _ in range(parameters + bool(parameters)):
            connection._read_packet()
        found = [connection._read_packet(FieldDescriptorPacket) for _ in range(columns)]
        if columns:
            connection._read_packet()  # the end of them
        connection._execute_command(COM_STMT_CLOSE, struct.pack("<I", statement))
        return found

    def cancel(self) -> None:
        """Ends the running statement; shuts the socket when the server does not listen. From any thread.

        `KILL QUERY` needs a connection of its own; behind a proxy it may meet another one's statement, so the
        socket is shut in every case.
        """
        self._cancelled = True
        with contextlib.suppress(Exception):
            killer = _opened(self.login, connect_timeout=_GRACE, read_timeout=_GRACE)
            try:
                self._kill(killer)
            finally:
                killer.close()
        self.shut()

    def _kill(self, killer: Any) -> None:
        """Only what is surely ours: the same server, and the same account's thread."""
        with killer.cursor() as cursor:
            thread = int(self.connection.thread_id())
            cursor.execute(
                f"select 1 from information_schema.processlist where id = {thread} "
                "and user = substring_index(user(), '@', 1)"
            )
            if cursor.fetchone():
                cursor.execute(f"kill query {thread}")

    def shut(self) -> None:
        """Every wait on this connection ends now; on the server too, by a reset."""
        self._cancelled = True
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(self.connection._sock.fileno())) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            twin.shutdown(socket.SHUT_RDWR)

    def reusable(self) -> bool:
        """No transaction is open, no answer is half read, and the server still speaks."""
        if self._broken or not self.connection.open:
            return False
        try:
            self.rollback()
            return bool(self.rows("select 1"))
        except (pymysql_module().err.MySQLError, OSError):
            return False

    def close(self) -> None:
        """Without a farewell where an answer is half read: PyMySQL would read it to its end."""
        with contextlib.suppress(Exception):
            self.connection._force_close() if self._broken else self.connection.close()

    def spoilt(self) -> None:
        """An answer is being read by somebody else; until `whole` the connection is good for nothing."""
        self._reading = True

    def whole(self, sequence: int) -> None:
        """That answer was read to its end."""
        self.connection._next_seq_id = sequence
        self._reading = False


def connect(login: Login, options: Options) -> Session:
    """Raises `CredentialError`, `ConfigurationError` or `SourceUnavailable`."""
    pymysql = pymysql_module()
    try:
        session = Session(_opened(login), options, login)
    except pymysql.err.MySQLError as error:
        translated = translate(error, login.place)
        assert translated is not None
        if error.args and error.args[0] == NO_DATABASE:
            translated.remedy += _databases(login)
        raise translated from None
    _refuse_old(session)
    session.prepare()
    return session


def _opened(login: Login, **more: Any) -> Any:
    connection = _connected(login, **more)
    for name, value in _ALIVE.items():
        if hasattr(socket, name):
            connection._sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return connection


def _connected(login: Login, **more: Any) -> Any:
    pymysql = pymysql_module()
    values = {
        **login.values, "charset": "utf8mb4", "autocommit": True, "conv": {}, "local_infile": False,
        "program_name": "dativo", **more,
    }  # fmt: skip
    if login.tls == "disabled":
        return pymysql.connect(**values, ssl_disabled=True)
    try:
        return pymysql.connect(**values, ssl=_context(login))
    except pymysql.err.OperationalError as error:
        # as MySQL's own clients do for PREFERRED: a server without TLS, or with one that cannot be spoken, goes plain
        unspoken = not (error.args and error.args[0] in (*ACCESS_DENIED, NO_DATABASE))
        if login.tls == "preferred" and unspoken and _is_about_tls(error):
            return pymysql.connect(**values, ssl_disabled=True)
        raise


def _context(login: Login) -> ssl.SSLContext:
    if login.tls in ("preferred", "required"):  # nobody is verified: the machine's authorities take longer than a login
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    context = ssl.create_default_context(cafile=login.ca or None)
    context.check_hostname = login.tls == "verify_identity"
    return context


def _is_about_tls(error: Exception) -> bool:
    text = str(error).lower()
    return "ssl" in text or "tls" in text


def _refuse_old(session: Session) -> None:
    flavour = "mariadb" if session.mariadb else "mysql"
    found = _VERSION.match(session.version)
    if found and (int(found[1]), int(found[2])) < _OLDEST[flavour]:
        session.close()
        raise Unsupported(
            f"the server is {session.version}", where=session.login.place,
            remedy="MySQL 5.7 and MariaDB 10.4 are the oldest that this connector reads",
        )  # fmt: skip


def _databases(login: Login) -> str:
    """Which databases there are, where the server tells us."""
    pymysql = pymysql_module()
    values = {key: value for key, value in login.values.items() if key != "database"}
    with contextlib.suppress(pymysql.err.MySQLError):
        connection = _opened(Login(values, login.tls, login.ca))
        try:
            with connection.cursor() as cursor:
                cursor.execute("show databases")
                return f" (there are: {', '.join(str(row[0]) for row in cursor.fetchall()[:20])})"
        finally:
            connection.close()
    return ""
