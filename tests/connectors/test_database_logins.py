"""Logins of databases while a run goes on: passwords that change, connections that are counted."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.job import JobSpec, SourceSpec, TargetSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import WindowRequest
from dativo_provider.pipeline.workplace import reading
from dativo_provider.secrets import FileSecrets
from tests.connectors.database_world import ids, table
from tests.connectors.database_world import reader as opened_reader
from tests.support import requirement

OLD, NEW = "old-pa55word", "new-pa55word"


class Account(ABC):
    """A user of a real server who reads `t`, which has ten rows."""

    connector: str

    def __init__(self, database: Any) -> None:
        self.database, self.name = database, f"rotated_{database.params['database']}"

    @abstractmethod
    def made(self) -> tuple[str, ...]: ...

    @abstractmethod
    def changed(self, password: str) -> None:
        """Its connections are ended as well: who is logged in would stay so."""

    @abstractmethod
    def refused(self) -> None:
        """Its old password opens no connection more; those that are open stay."""

    @abstractmethod
    def gone(self) -> None: ...

    def connections(self, expected: int) -> int:
        """How many there are; the server takes a moment to forget those that were closed."""
        for _ in range(30):
            found = int(self.database.execute(self.counted())[0][0])
            if found == expected:
                break
            time.sleep(0.1)
        return found

    @abstractmethod
    def counted(self) -> str: ...

    @property
    def params(self) -> dict[str, Any]:
        return {**self.database.params, "user": self.name, "password": OLD}


class MysqlAccount(Account):
    connector = "mysql"

    def made(self) -> tuple[str, ...]:
        return (
            "create table t (id int primary key)",
            "insert into t values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)",
            f"create user '{self.name}'@'%' identified by '{OLD}'",
            f"grant select on {self.database.params['database']}.* to '{self.name}'@'%'",
        )

    def refused(self) -> None:
        self.database.execute(f"alter user '{self.name}'@'%' identified by '{NEW}'")

    def changed(self, password: str) -> None:
        self.database.execute(f"alter user '{self.name}'@'%' identified by '{password}'")
        threads = f"select id from information_schema.processlist where user = '{self.name}'"
        for (thread,) in self.database.execute(threads):
            self.database.execute(f"kill connection {thread}")

    def counted(self) -> str:
        return f"select count(*) from information_schema.processlist where user = '{self.name}'"

    def gone(self) -> None:
        self.database.execute(f"drop user '{self.name}'@'%'")


class PostgresAccount(Account):
    connector = "postgres"

    def made(self) -> tuple[str, ...]:
        return (
            "create table t (id int primary key)", "insert into t select generate_series(1, 10)",
            f"create role {self.name} login password '{OLD}'", f"grant select on t to {self.name}",
        )  # fmt: skip

    def refused(self) -> None:
        self.database.execute(f"alter role {self.name} password '{NEW}'")

    def changed(self, password: str) -> None:
        ended = f"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{self.name}'"
        self.database.execute(f"alter role {self.name} password '{password}'", ended)

    def counted(self) -> str:
        return f"select count(*) from pg_stat_activity where usename = '{self.name}'"

    def gone(self) -> None:
        self.database.execute(f"drop owned by {self.name}", f"drop role {self.name}")


@pytest.fixture(params=["mariadb", "mysql", "postgres"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    server = request.getfixturevalue(request.param)
    with server.database() as database:
        made = (PostgresAccount if request.param == "postgres" else MysqlAccount)(database)
        database.execute(*made.made())
        yield made
        made.gone()


class Store:
    """A tenant's folder of secrets, and a job that reads `t` with the one that it names."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder = folder
        (folder / "acme").mkdir()
        self.put(OLD)
        connection = {**account.params, "password": "${SECRET:db.password}"}
        self.job = JobSpec("acme", "t", "t", SourceSpec(account.connector, connection), TargetSpec(), ())
        self.ctx = RunContext(Settings(home=""), secrets=FileSecrets(folder))

    def put(self, password: str) -> None:
        (self.folder / "acme" / "db.json").write_text(json.dumps({"password": password}))


@pytest.fixture
def store(tmp_path: Path, account: Account) -> Store:
    return Store(tmp_path, account)


def rows(reader: Reader) -> list[Any]:
    stream = table("t")
    piece = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)[0]
    return ids([row for batch in reader.read(stream, piece) for row in batch.data.to_pylist()])


@requirement("SEC-04")
def test_a_password_that_is_changed_during_a_run_is_read_once_more(account: Account, store: Store) -> None:
    with reading(store.job, store.ctx) as reader:
        assert rows(reader) == list(range(1, 11))
        account.changed(NEW)
        store.put(NEW)
        assert rows(reader) == list(range(1, 11))
        assert NEW not in reader.masker.mask(f"refused {NEW}")  # type: ignore[attr-defined]
    store.ctx.kept.close()


@requirement("SEC-04")
def test_a_password_that_is_refused_and_has_not_changed_is_an_error_at_once(account: Account, store: Store) -> None:
    with reading(store.job, store.ctx) as reader:
        account.changed(NEW)
        asked: list[SourceSpec] = []
        again = reader.again
        assert again

        def counted() -> SourceSpec:
            asked.append(again())
            return asked[-1]

        reader.again = counted
        with pytest.raises(CredentialError) as caught:
            rows(reader)
        assert len(asked) == 1
        assert OLD not in f"{caught.value} {caught.value.remedy} {caught.value.details}"


@requirement("SEC-04")
def test_a_connection_of_airflow_is_asked_for_again_as_well(account: Account) -> None:
    class Connections:
        password = OLD

        def get(self, connection_id: str) -> Connection:
            given = account.params
            return Connection(
                account.connector, given["host"], given["port"], given["user"], self.password, given["database"]
            )

    held = Connections()
    ctx = RunContext(Settings(home=""), connections=held)
    job = JobSpec("acme", "t", "t", SourceSpec(account.connector, connection_id="acme_db"), TargetSpec(), ())
    with reading(job, ctx) as reader:
        assert len(rows(reader)) == 10
        account.changed(NEW)
        held.password = NEW
        assert len(rows(reader)) == 10
    ctx.kept.close()


@requirement("SEC-04", "ING-15")
@pytest.mark.parametrize("account", ["mysql", "postgres"], indirect=True)
def test_a_session_of_the_place_before_is_not_used_for_a_login_that_moved(account: Account) -> None:
    class Connections:
        params = account.params

        def get(self, connection_id: str) -> Connection:
            given = self.params
            return Connection(
                account.connector, given["host"], given["port"], given["user"], given["password"], given["database"]
            )

    held = Connections()
    ctx = RunContext(Settings(home=""), connections=held)
    job = JobSpec("acme", "t", "t", SourceSpec(account.connector, connection_id="acme_db"), TargetSpec(), ())
    with reading(job, ctx) as opened:
        reader: Any = opened
        with reader.first():
            account.refused()
            held.params = account.database.params
            with reader.first() as moved:
                assert account.name not in str(moved.rows("select current_user"))
        with reader.first() as session:
            assert account.name not in str(session.rows("select current_user"))
    ctx.kept.close()


@requirement("SEC-04")
def test_who_shares_the_connections_shares_them_after_the_change(account: Account, store: Store) -> None:
    """Two steps of one process: the limit counts for both, before and after."""
    with reading(store.job, store.ctx) as first, reading(store.job, store.ctx) as second:
        assert len(rows(first)) == len(rows(second)) == 10
        account.changed(NEW)
        store.put(NEW)
        assert len(rows(first)) == len(rows(second)) == 10
    with reading(store.job, store.ctx) as third:
        assert len(rows(third)) == 10
    assert account.connections(1) == 1
    store.ctx.kept.close()


@requirement("CON-03")
@pytest.mark.parametrize("account", ["mariadb", "mysql"], indirect=True)
@pytest.mark.parametrize("mode", ["preferred", "disabled"])
def test_an_account_of_either_server_logs_in_with_and_without_tls(account: Account, mode: str) -> None:
    """MySQL's own plugin, `caching_sha2_password`, sends the password through TLS, or under the server's RSA key."""
    source = SourceSpec("mysql", {**account.params, "ssl": {"mode": mode}})
    with opened_reader(source) as reader:
        assert len(rows(reader)) == 10


@requirement("CON-03", "ING-15")
def test_tasks_of_one_process_never_have_more_than_five_connections(account: Account) -> None:
    ctx, most, counts = RunContext(Settings(home="")), 0, list[int]()
    sleep = "pg_sleep(0.3) is null" if account.connector == "postgres" else "sleep(0.3)"
    stream = table("", query=f"select id, {sleep} as late from t where id < 3")

    def work() -> None:
        with opened_reader(SourceSpec(account.connector, account.params), ctx) as reader:
            piece = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)[0]
            counts.append(sum(batch.rows for batch in reader.read(stream, piece)))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, int(account.database.execute(account.counted())[0][0]))
    assert counts == [2] * 12
    assert 2 < most <= 5
    ctx.kept.close()
