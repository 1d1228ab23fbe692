"""What a run of MySQL covers: edges between runs, rows that are not settled, and shares for several tasks."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dativo_provider.connectors.mysql.settle import _replica, writers_done
from dativo_provider.errors import ConfigurationError, CredentialError
from tests.connectors.mysql_world import SERVERS, Job, context, database_of, ids, numbers, table, whole
from tests.services.mariadb import MariaDatabase
from tests.support import requirement

# The test's server lives in this zone: `now()` of a column without zone is its wall clock.
WALL = {"timezone": "Etc/GMT-2"}


@pytest.fixture(params=SERVERS)
def maria(request: pytest.FixtureRequest) -> Iterator[MariaDatabase]:
    yield from database_of(request)


@contextmanager
def transaction(maria: MariaDatabase, *statements: str) -> Iterator[Any]:
    """An open transaction that has run `statements`."""
    connection = maria.connect()
    connection.autocommit(False)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    try:
        yield connection
    finally:
        connection.close()


@requirement("CON-03")
def test_rows_of_an_open_transaction_are_read_when_it_has_ended(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, at datetime(6), key (at))",
                  "insert into t values (1, now(6) - interval 1 minute)")  # fmt: skip
    job = Job(maria, table("t", "at", lag=0), WALL)
    with transaction(maria, "insert into t values (2, now(6))") as other:
        maria.execute("insert into t values (3, now(6))", "do sleep(1.2)")
        assert ids(job.run()) == [1], "3 is newer than a row that nobody may see yet"
        other.commit()
    maria.execute("do sleep(1.1)")
    assert ids(job.run()) == [2, 3]


def test_moments_of_a_zone_that_nobody_named_wait_until_they_have_passed_in_every_one(maria: MariaDatabase) -> None:
    """The server's clock on the wall is two hours ahead of UTC; an application may have written either."""
    rows = "(1, utc_timestamp(6) - interval 5 second), (2, now(6) - interval 5 second)"
    maria.execute("create table t (id int primary key, at datetime(6))", f"insert into t values {rows}")
    window = Job(maria, table("t", "at", lag=0)).plan()
    assert ids(Job(maria, table("t", "at", lag=0)).read(window).to_pylist()) == [1]
    assert [note for note in window.notes if "wait for a later run" in note]


def test_numbers_wait_for_who_has_drawn_a_smaller_one(maria: MariaDatabase) -> None:
    maria.execute("create table t (id bigint unsigned auto_increment primary key, a int)")
    job = Job(maria, table("t", "id", lag=5))
    with transaction(maria, "insert into t (a) values (1)") as other:
        maria.execute("insert into t (a) values (2)")
        threading.Timer(1, other.commit).start()
        assert ids(job.run()) == [1, 2]
    impatient = Job(maria, table("t", "id", lag=0), cursor=job.cursor)
    with transaction(maria, "insert into t (a) values (3)"):
        maria.execute("insert into t (a) values (4)")
        window = impatient.plan()
        assert (window.kind, len(impatient.slices(window))) == ("empty", 0)
        assert [note for note in window.notes if "has uncommitted rows" in note]


def test_a_list_of_transactions_that_is_a_moment_old_is_not_believed(maria: MariaDatabase) -> None:
    """The server keeps the list until nobody has looked for a tenth of a second; somebody else looks all the time."""
    maria.execute("create table t (id int primary key, at datetime(6), key (at))",
                  "insert into t values (1, now(6) - interval 1 minute)")  # fmt: skip
    stop = threading.Event()

    def watch() -> None:
        with maria.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("select count(*) from information_schema.innodb_trx")
                stop.wait(0.03)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with transaction(maria, "insert into t values (2, now(6))"):
            maria.execute("insert into t values (3, now(6))", "do sleep(1.2)")
            window = Job(maria, table("t", "at", lag=0), WALL).plan()
            assert (window.kind, "so often" in window.notes[0]) == ("empty", True)
    finally:
        stop.set()
        watcher.join()


class Told:
    """A session of a replica, as far as its state is asked for. No replica is started in these tests."""

    def __init__(self, channels: list[dict[str, Any]] | None, read_only: str = "0") -> None:
        self.channels, self.read_only = channels, read_only

    @contextmanager
    def transaction(self) -> Iterator[Told]:
        yield self

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [("2024-01-01 00:00:00.000000", self.read_only)]

    def named(self, statement: str) -> list[dict[str, Any]] | None:
        return self.channels


@pytest.mark.parametrize(
    ("channels", "read_only", "expected"),
    [
        ([{"Seconds_Behind_Master": "3"}, {"Seconds_Behind_Master": "70"}], "0", 70),
        ([{"Seconds_Behind_Source": "0"}], "0", 0),
        ([{"Seconds_Behind_Source": None}], "ON", None),
        ([], "1", 60),
        (None, "1", 60),
    ],
)
def test_a_replica_is_as_far_behind_as_the_slowest_of_its_channels(
    channels: list[dict[str, Any]] | None, read_only: str, expected: int | None
) -> None:
    found = _replica(Told(channels, read_only), 60)  # type: ignore[arg-type]
    assert found is not None
    assert found.seconds == expected
    assert _replica(Told([], "0"), 60) is None  # type: ignore[arg-type]


def test_numbers_of_a_replica_wait_until_it_has_heard_of_them() -> None:
    behind, stopped = Told([{"Seconds_Behind_Source": "9"}]), Told([{"Seconds_Behind_Source": None}])
    assert "9 s behind" in writers_done(behind, 5, context())[0]  # type: ignore[arg-type]
    assert "stopped" in writers_done(stopped, 5, context())[0]  # type: ignore[arg-type]
    assert writers_done(Told([{"Seconds_Behind_Source": "0"}]), 0, context()) == ()  # type: ignore[arg-type]


def test_a_second_that_is_not_over_waits_whole(maria: MariaDatabase) -> None:
    """A column without fractions: rows of one second are read together, or the later of them would be lost."""
    maria.execute("create table t (id int primary key, at datetime, key (at))",
                  "insert into t values (1, now() - interval 10 second)")  # fmt: skip
    job = Job(maria, table("t", "at", lag=0), WALL)
    seen = ids(job.run())
    for place in range(2, 8):
        maria.execute(f"insert into t values ({place}, now())", "do sleep(0.35)")
        seen += ids(job.run())
    maria.execute("do sleep(2.2)")
    seen += ids(job.run())
    assert sorted(seen) == list(range(1, 8))


@pytest.mark.parametrize("kind", ["date", "datetime(3)", "timestamp(6) null", "decimal(20,0)", "int unsigned"])
def test_each_kind_of_cursor_gives_each_row_once(maria: MariaDatabase, kind: str) -> None:
    moment = not kind.startswith(("decimal", "int"))
    values = [f"'2024-01-0{day}'" if moment else str(day * 10) for day in range(1, 6)]
    maria.execute(f"create table t (id int primary key, at {kind}, key (at))")
    job = Job(maria, table("t", "at", lag=0))
    for place, value in enumerate(values):
        maria.execute(f"insert into t values ({2 * place}, {value}), ({2 * place + 1}, {value})")
        assert ids(job.run(want=2)) == [2 * place, 2 * place + 1]
    assert job.run() == []


def test_rows_without_a_place_come_with_the_first_load_and_are_counted_later(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, at datetime null)",
                  "insert into t values (1, '2024-01-01'), (2, null), (3, '0000-00-00')")  # fmt: skip
    job = Job(maria, table("t", "at", lag=0), {"zero_dates": "null"})
    assert ids(job.run()) == [1, 2, 3]
    maria.execute("insert into t values (4, '2024-01-02'), (5, null)")
    window = job.plan()
    assert ids(job.read(window).to_pylist()) == [4]
    assert [note for note in window.notes if note.startswith("3 rows of") and "zero" in note]


@requirement("ING-10")
@pytest.mark.parametrize("want", [1, 3])
def test_a_full_load_that_deletes_what_is_missing_brings_what_changes_then(maria: MariaDatabase, want: int) -> None:
    maria.execute("create table t (id int primary key, at timestamp(6) null)")
    maria.execute(f"insert into t select seq, now(6) - interval 1 hour from {numbers(1, 60)}")
    job = Job(maria, table("t", "at", key=("id",)))
    window = job.plan(full=True)
    slices = job.slices(whole(window), want)
    maria.execute("update t set at = now(6) where id in (1, 30, 60)", "insert into t values (61, now(6)), (62, null)")
    rows = [row for piece in slices for batch in job.batches(piece) for row in batch.data.to_pylist()]
    assert ids(rows) == list(range(1, 63))
    job.commit(whole(window))
    time.sleep(1.1)
    assert ids(job.run()) == [1, 30, 60, 61], "the cursor is where rows were settled"


def test_a_backfill_reads_its_range(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, at datetime)",
                  f"insert into t select seq, '2024-01-01' + interval seq hour from {numbers(0, 99)}")  # fmt: skip
    job = Job(maria, table("t", "at", lag=0))
    assert ids(job.read(job.plan(start="2024-01-02", end="2024-01-03")).to_pylist()) == list(range(24, 48))


def test_slices_share_skewed_keys_evenly_and_hold_every_row_once(maria: MariaDatabase) -> None:
    """Half of the keys lie close together, far below the others."""
    maria.execute("create table t (id bigint unsigned primary key)",
                  f"insert into t select seq from {numbers(1, 20000)}",
                  f"insert into t select 18000000000000000000 + seq * 1000 from {numbers(1, 20000)}",
                  "analyze table t")  # fmt: skip
    job = Job(maria, table("t"), {"min_slice_rows": 1000})
    pieces = job.slices(job.plan(), 4)
    sizes = [sum(batch.rows for batch in job.batches(piece)) for piece in pieces]
    assert len(sizes) == 4
    assert sum(sizes) == 40_000
    assert max(sizes) < 2 * min(sizes), sizes


def test_a_table_of_another_engine_is_read_in_one_piece_and_says_so(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, at datetime) engine = myisam",
                  f"insert into t select seq, '2024-01-01' from {numbers(1, 5000)}")  # fmt: skip
    job = Job(maria, table("t", "at", lag=0), {"min_slice_rows": 10})
    window = job.plan()
    assert len(job.slices(window, 4)) == 1
    assert [note for note in window.notes if "MyISAM" in note]


def test_an_account_that_sees_nobody_else_waits_its_lag_and_says_why(maria: MariaDatabase) -> None:
    name = maria.params["database"]
    maria.execute("create table t (id int primary key, at datetime(6))",
                  "insert into t values (1, now(6) - interval 1 hour), (2, now(6))",
                  f"create user 'small_{name}'@'%' identified by 'pw'",
                  f"grant select on {name}.t to 'small_{name}'@'%'")  # fmt: skip
    small = MariaDatabase({**maria.params, "user": f"small_{name}", "password": "pw"})
    job = Job(small, table("t", "at", lag=60), WALL)
    window = job.plan()
    assert ids(job.read(window).to_pylist()) == [1]
    assert [note for note in window.notes if "grant process" in note]
    maria.execute("create table secret (id int)")
    with pytest.raises(CredentialError):
        Job(small, table("", query=f"select * from {name}.secret")).describe()
    maria.execute(f"drop user 'small_{name}'@'%'")


def test_a_cursor_that_orders_nothing_is_refused_with_those_that_do(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, name varchar(10), at timestamp)")
    with pytest.raises(ConfigurationError, match="which rows came later") as caught:
        Job(maria, table("t", "name")).plan()
    assert "id, at" in caught.value.remedy


def test_a_slice_read_during_writes_sees_one_state(maria: MariaDatabase) -> None:
    """Money moves between accounts all the while; the sum of what is read stays."""
    maria.execute("create table t (id int primary key, amount bigint)",
                  f"insert into t select seq, 100 from {numbers(1, 20000)}")  # fmt: skip
    stop = threading.Event()

    def move() -> None:
        with maria.connect() as connection, connection.cursor() as cursor:
            connection.autocommit(False)
            while not stop.is_set():
                poorer, richer = random.sample(range(1, 20_001), 2)
                cursor.execute(f"update t set amount = amount - 7 where id = {poorer}")
                cursor.execute(f"update t set amount = amount + 7 where id = {richer}")
                connection.commit()

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(3):
            assert sum(row["amount"] for row in Job(maria, table("t")).run()) == 2_000_000
    finally:
        stop.set()
        mover.join()
