"""Connections are used again, never more than allowed, and never after something went wrong on them."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from dativo_provider.connectors.pool import Pool
from dativo_provider.connectors.postgres.reader import PostgresReader
from dativo_provider.errors import Cancelled
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.kept import Kept
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import WindowRequest
from tests.services.postgres import Database
from tests.support import requirement


class Line:
    """A connection that counts."""

    made: list[Line]

    def __init__(self, made: list[Line]) -> None:
        self.open, self.well = True, True
        made.append(self)

    def reusable(self) -> bool:
        return self.open and self.well

    def close(self) -> None:
        self.open = False


def wanted() -> None:
    """Nobody has cancelled."""


@pytest.fixture
def made() -> list[Line]:
    return []


@requirement("ING-15")
def test_a_connection_given_back_is_used_again(made: list[Line]) -> None:
    pool = Pool(5, lambda: Line(made))
    for _ in range(3):
        with pool.lease(wanted):
            pass
    assert len(made) == 1


@requirement("ING-15")
def test_a_broken_one_and_one_that_saw_an_error_are_not(made: list[Line]) -> None:
    pool = Pool(5, lambda: Line(made))
    with pytest.raises(ValueError, match="x"), pool.lease(wanted):
        raise ValueError("x")
    with pool.lease(wanted):
        pass
    made[1].well = False
    with pool.lease(wanted):
        pass
    assert [line.open for line in made] == [False, False, True]


@requirement("ING-15", "CON-03", "CON-04")
def test_never_more_than_allowed_at_once_and_everyone_gets_one(made: list[Line]) -> None:
    pool, at_once, most, lock = Pool(2, lambda: Line(made)), 0, [0], threading.Lock()

    def work() -> None:
        nonlocal at_once
        for _ in range(20):
            with pool.lease(wanted):
                with lock:
                    at_once += 1
                    most.append(at_once)
                time.sleep(0.001)
                with lock:
                    at_once -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert (max(most), len(made)) == (2, 2)


@requirement("ING-15")
def test_who_holds_one_does_not_wait_for_another(made: list[Line]) -> None:
    pool = Pool(2, lambda: Line(made))
    with ExitStack() as held:
        held.enter_context(pool.lease(wanted))
        assert held.enter_context(pool.spare()) is not None
        assert held.enter_context(pool.spare()) is None
    with pool.spare() as line:
        assert line is not None


def test_who_waits_hears_a_cancel(made: list[Line]) -> None:
    pool = Pool(1, lambda: Line(made))

    def cancelled() -> None:
        raise Cancelled("x")

    with pool.lease(wanted), pytest.raises(Cancelled), pool.lease(cancelled):
        pass


def test_a_connection_that_cannot_be_opened_leaves_its_place_free() -> None:
    def refused() -> Line:
        raise ConnectionError("no")

    pool = Pool(1, refused)
    for _ in range(3):
        with pytest.raises(ConnectionError), pool.lease(wanted):
            pass


def test_closing_closes_the_idle_now_and_the_used_when_they_come_back(made: list[Line]) -> None:
    pool = Pool(5, lambda: Line(made))
    with pool.lease(wanted) as used:
        with pool.lease(wanted):
            pass
        pool.close()
        assert [line.open for line in made] == [True, False]
    assert not used.open


@requirement("ING-15", "ING-16")
def test_a_run_logs_in_once_however_many_steps_it_has(database: Database) -> None:
    database.execute("create table t (id int primary key)", "insert into t select generate_series(1, 10)")
    ctx = RunContext(Settings(home=""))
    stream = StreamSpec("t", "public.t", "t", ContractSpec("t"))
    source = SourceSpec("postgres", database.params)
    pids = set()
    for _ in range(2):  # plan and extract open a reader each
        reader = PostgresReader(source, ctx)
        reader.describe(stream)
        window = reader.window(stream, WindowRequest(full=True))
        for piece in reader.slices(stream, window, 4):
            assert sum(batch.rows for batch in reader.read(stream, piece)) == 10
        with reader.first() as session:
            pids.add(session.pid)
        reader.close()
    assert len(pids) == 1
    ctx.kept.close()
    other = PostgresReader(source, ctx)
    with other.first() as session:
        pids.add(session.pid)
    assert len(pids) == 2


@requirement("ING-15")
def test_a_connection_the_server_has_ended_is_replaced(database: Database) -> None:
    ctx = RunContext(Settings(home=""))
    reader = PostgresReader(SourceSpec("postgres", database.params), ctx)
    with reader.first() as session:
        pid = session.pid
    database.execute(f"select pg_terminate_backend({pid})")
    with reader.first() as session:
        assert session.pid != pid
        assert session.rows("select 1") == [(1,)]
    ctx.kept.close()


@requirement("ING-16")
def test_what_is_kept_is_made_once_and_bounded() -> None:
    kept, made = Kept(most=2), []

    def make(name: str) -> str:
        made.append(name)
        return name

    for name in ("a", "a", "b", "a", "c", "b"):
        kept.get(name, lambda name=name: make(name))
    assert made == ["a", "b", "c", "b"], "b was asked for longest ago when c came"


def test_what_is_kept_under_two_keys_is_closed_with_the_last_of_them() -> None:
    class Thing:
        closed = False

        def close(self) -> None:
            self.closed = True

    kept, thing = Kept(most=1), Thing()
    kept.get("a", lambda: thing)
    kept.get("b", lambda: thing)
    assert not thing.closed
    kept.get("c", Thing)
    assert thing.closed
