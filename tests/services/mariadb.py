"""MariaDB. https://mariadb.com/docs/server/clients-and-utilities/deployment-tools/mariadb-install-db

`MariaDB` and `MariaDatabase` are a server of MySQL too (tests/services/mysql.py).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pymysql

from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder
from tests.services.postgres import account

HINT = "install MariaDB (apt-get install mariadb-server), or run `python -m tests.services install`"
# Unpacked, not installed: no service of this machine is touched, and no root needed.
_PACKAGES = ("mariadb-server-core", "mariadb-client-core", "liburing2", "libaio1")
_numbers = count(1)


@dataclass(frozen=True)
class MariaDatabase:
    """A database of its own; `params` as a job's `source.connection`."""

    params: Mapping[str, Any]

    def connect(self, **more: Any) -> Any:
        """A PyMySQL connection in autocommit mode."""
        given = {**self.params, **more}
        return pymysql.connect(**given, autocommit=True, charset="utf8mb4", ssl_disabled=True)

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs the statements; returns the rows of the last one."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


@dataclass
class MariaDB:
    """A running server; `params` are the administrator's."""

    params: Mapping[str, Any]
    server: Server | None = None

    def administrator(self) -> MariaDatabase:
        return MariaDatabase({**self.params, "database": "mysql"})

    @contextmanager
    def database(self) -> Iterator[MariaDatabase]:
        """A fresh, empty database, dropped afterwards."""
        name = f"dativo_{os.getpid()}_{next(_numbers)}"
        self.administrator().execute(f"create database {name} character set utf8mb4")
        try:
            yield MariaDatabase({**self.params, "database": name})
        finally:
            self.administrator().execute(f"drop database {name}")

    def stop(self) -> None:
        if self.server:
            with contextlib.suppress(pymysql.err.MySQLError):
                self.administrator().execute("shutdown")  # it is deaf to the signals of the guard
            self.server.stop()


def start(settings: Mapping[str, str] | None = None) -> MariaDB:
    base, secret = home(), secrets.token_hex(8)
    folder, user, port = scratch("mariadb"), account(), free_port()
    if user:
        shutil.chown(folder, user)
    try:
        _initialise(base, folder, user)
    except Unavailable:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    wanted = {
        "basedir": f"{base}", "datadir": f"{folder}/data", "port": f"{port}", "bind-address": "127.0.0.1",
        "socket": f"{folder}/s.sock", "pid-file": f"{folder}/pid", "innodb-flush-log-at-trx-commit": "0",
        "innodb-buffer-pool-size": "64M", "innodb-log-file-size": "32M", "character-set-server": "utf8mb4",
        "max-allowed-packet": "256M", "sql-mode": "", "skip-name-resolve": "1", "default-time-zone": "+02:00",
        "performance-schema": "OFF", "tmpdir": f"{folder}", **(settings or {}),
    }  # fmt: skip
    command = [f"{base}/sbin/mariadbd", "--no-defaults", *(f"--{key}={value}" for key, value in wanted.items())]
    server = Server(command, folder, user=user, env=_libraries(base))
    params = {"host": "127.0.0.1", "port": port, "user": "root", "password": ""}
    server.wait_until(lambda: answers(params))
    made = MariaDB(params, server)
    made.administrator().execute(
        f"create user 'dativo_test'@'%' identified by '{secret}'",
        "grant all on *.* to 'dativo_test'@'%' with grant option",
    )
    made.params = {**params, "user": "dativo_test", "password": secret}
    return made


def client() -> list[str]:
    """The command-line client, which benchmarks compare with; its libraries are by `client_environment`."""
    return [f"{home()}/bin/mariadb", "--no-defaults"]


def client_environment() -> dict[str, str]:
    return {**os.environ, **_libraries(home())}


def _initialise(base: Path, folder: Path, user: str) -> None:
    script = [f"{base}/bin/mariadb-install-db", "--no-defaults", f"--basedir={base}", f"--datadir={folder}/data"]
    kept = [f"{name}={value}" for name, value in {**_libraries(base), "TMPDIR": str(folder)}.items()]
    made = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-log-bin"]
    run(["env", *kept, *script, *made, *([f"--user={user}"] if user else [])], cwd=folder)


def _libraries(base: Path) -> dict[str, str]:
    found = sorted(base.glob("lib/*-linux-gnu*"))
    return {"LD_LIBRARY_PATH": ":".join(map(str, found))} if found and services_folder() in base.parents else {}


def answers(params: Mapping[str, Any]) -> bool:
    try:
        pymysql.connect(**params, ssl_disabled=True).close()
    except pymysql.err.MySQLError:
        return False
    return True


def home() -> Path:
    """The folder with `sbin/mariadbd`. Raises `Unavailable`."""
    for folder in (Path("/usr"), services_folder() / "mariadb/usr"):
        if (folder / "sbin/mariadbd").exists() and (folder / "bin/mariadb-install-db").exists():
            return folder
    raise Unavailable(f"no MariaDB server: {HINT}")


def install() -> str:
    try:
        return f"found {home()}"
    except Unavailable:
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise
    unpack(services_folder() / "mariadb", _PACKAGES)
    return f"unpacked {home()}"


def unpack(folder: Path, packages: Sequence[str]) -> None:
    """Debian's packages, below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch_folder:
        got = subprocess.run(["apt-get", "download", *packages], cwd=scratch_folder, check=False, capture_output=True)
        if got.returncode:
            if os.geteuid() == 0:
                run(["apt-get", "update", "-qq"])
            run(["apt-get", "download", *packages], cwd=Path(scratch_folder))
        for package in sorted(Path(scratch_folder).glob("*.deb")):
            run(["dpkg", "-x", str(package), str(folder)])
