"""Cursors and windows: over many runs every row is read once, whoever commits late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2.errors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dativo_provider.errors import Cancelled, ConfigurationError, SourceUnavailable
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.stream import Cursor, Field, WindowRequest
from tests.connectors.postgres_world import Job, context, ids, reader, source, table, whole
from tests.services.postgres import Database, Postgres
from tests.support import requirement

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def stamped(database: Database) -> Database:
    database.execute("create table t (id int primary key, at timestamptz default now())")
    return database


@pytest.fixture
def numbered(database: Database) -> Database:
    database.execute("create table t (id bigserial primary key, v text)")
    return database


@contextmanager
def writer(database: Database, *statements: str, **more: Any) -> Iterator[Any]:
    """A transaction that stays open until the block ends, unless it is ended inside."""
    connection = database.connect(**more)
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield connection
        connection.commit()
    finally:
        connection.close()


# moments ------------------------------------------------------------------------------------------------------


@requirement("STA-02", "REG-08")
def test_a_transaction_that_commits_after_the_window_was_fixed_loses_no_row(stamped: Database) -> None:
    stamped.execute("insert into t values (1, now() - interval '1 hour')")
    job = Job(stamped, table("t", "at"))
    with writer(stamped, "insert into t (id) values (2)") as late:
        stamped.execute("insert into t (id) values (3)")  # begun later, committed earlier
        window = job.plan()
        first = job.read(window).to_pylist()
        late.commit()
    job.commit(window)
    assert ids(first) == [1]
    assert ids(job.run()) == [2, 3]
    assert job.run() == []


def test_a_transaction_that_has_not_written_yet_may_still_write(stamped: Database) -> None:
    job = Job(stamped, table("t", "at", lag=60))
    with writer(stamped, "select now()") as late:
        stamped.execute("insert into t (id) values (1)")
        assert job.run() == []
        late.cursor().execute("insert into t (id) values (2)")
    assert ids(job.run()) == [1, 2]


def test_one_that_only_reads_holds_back_for_the_lag_at_most(stamped: Database) -> None:
    job = Job(stamped, table("t", "at", lag=0))
    with writer(stamped, "select now()"):
        stamped.execute("insert into t (id) values (1)")
        assert ids(job.run()) == [1]


def test_the_operator_is_told_who_holds_the_window_back(stamped: Database) -> None:
    stamped.execute("insert into t values (1, now() - interval '1 hour')")
    job = Job(stamped, table("t", "at", lag=0))
    with writer(stamped, "insert into t (id) values (2)") as late:
        time.sleep(0.1)
        window = job.plan()
        assert any(f"pid {late.info.backend_pid}" in note for note in window.notes)


def test_our_own_readers_do_not_hold_us_back(stamped: Database) -> None:
    job = Job(stamped, table("t", "at", lag=60))
    with writer(stamped, "select now()", application_name="dativo"):
        stamped.execute("insert into t (id) values (1)")
        assert ids(job.run()) == [1]


def test_rows_of_a_prepared_transaction_are_waited_for(postgres: Postgres) -> None:
    from tests.services import postgres as leaf

    server = leaf.start({"max_prepared_transactions": "5"}, own=True)
    try:
        with server.database() as database:
            database.execute("create table t (id int, at timestamptz default now())")
            database.execute("insert into t values (0, now() - interval '1 hour')")
            connection = database.connect()
            for statement in ("begin", "insert into t (id) values (1)", "prepare transaction 'p1'"):
                connection.cursor().execute(statement)
            database.execute("insert into t (id) values (2)")
            job = Job(database, table("t", "at", lag=0))
            window = job.plan()
            assert ids(job.read(window).to_pylist()) == [0]
            assert any("'p1'" in note for note in window.notes)
            job.commit(window)
            connection.cursor().execute("commit prepared 'p1'")
            assert ids(job.run()) == [1, 2]
            connection.close()
    finally:
        server.stop()


def test_hidden_transactions_are_answered_with_the_lag(stamped: Database) -> None:
    stamped.execute(
        f"create role r_{stamped.name} login password 'p'", f"grant select on t to r_{stamped.name}",
        "insert into t values (1, now() - interval '1 hour')",
    )  # fmt: skip
    limited = Database(_with_user(stamped.url, f"r_{stamped.name}", "p"), stamped.name)
    job = Job(limited, table("t", "at", lag=2))
    try:
        with writer(stamped, "insert into t (id) values (2)") as late:
            held = job.plan()
            assert held.kind == "empty"
            assert any("pg_read_all_stats" in note for note in held.notes)
            assert any(f"pid {late.info.backend_pid}" in note for note in held.notes)
        idle = stamped.connect()  # what it does is hidden
        stamped.execute("insert into t (id) values (3)")
        window = job.plan()
        assert ids(job.read(window).to_pylist()) == [1, 2]
        job.commit(window)
        time.sleep(2.1)
        assert ids(job.run()) == [3]
        idle.close()
    finally:
        stamped.execute(f"drop owned by r_{stamped.name}", f"drop role r_{stamped.name}")


def _with_user(url: str, user: str, password: str) -> str:
    return f"postgresql://{user}:{password}@{url.partition('@')[2]}"


def test_an_application_clock_always_keeps_the_lag(stamped: Database) -> None:
    stamped.execute("insert into t (id) values (1)")
    job = Job(stamped, table("t", "at", lag=2, options={"clock": "application"}))
    assert job.run() == []
    time.sleep(2.1)
    assert ids(job.run()) == [1]


@requirement("REG-08")
def test_many_rows_at_the_very_boundary_are_read_once(stamped: Database) -> None:
    at = START.isoformat()
    stamped.execute(f"insert into t select g, '{at}' from generate_series(1, 50) g")
    job = Job(stamped, table("t", "at"))
    assert ids(job.run()) == list(range(1, 51))
    after = (START + timedelta(microseconds=1)).isoformat()
    stamped.execute(f"insert into t select g, '{after}' from generate_series(51, 60) g")
    assert ids(job.run()) == list(range(51, 61))
    assert job.cursor == Cursor({"column": "at", "type": "timestamptz", "value": "2026-03-01T12:00:00.000002+00:00"})


@requirement("ING-10")
@pytest.mark.parametrize("want", [1, 3])
def test_a_full_load_that_deletes_what_is_missing_brings_what_changes_meanwhile(stamped: Database, want: int) -> None:
    stamped.execute("insert into t select g, now() - interval '1 hour' from generate_series(1, 60) g")
    job = Job(stamped, table("t", "at", key=("id",)))
    window = job.plan(full=True)
    slices = job.slices(whole(window), want)
    stamped.execute("update t set at = now() where id in (1, 30, 60)", "insert into t values (61, now()), (62, null)")
    rows = [row for piece in slices for batch in job.batches(piece) for row in batch.data.to_pylist()]
    assert ids(rows) == list(range(1, 63))
    job.commit(whole(window))
    assert ids(job.run()) == [1, 30, 60, 61], "the cursor is where rows were settled"


@requirement("REG-07", "STA-09")
def test_an_empty_increment_leaves_the_cursor_where_it_is(stamped: Database) -> None:
    stamped.execute(f"insert into t values (1, '{START.isoformat()}')")
    job = Job(stamped, table("t", "at"))
    job.run()
    before = job.cursor
    window = job.plan()
    assert window.kind == "empty"
    assert window.cursor == before


@requirement("STA-07", "STA-08")
def test_lookback_reads_again_what_came_late(stamped: Database) -> None:
    stamped.execute(f"insert into t values (1, '{START.isoformat()}')")
    job = Job(stamped, table("t", "at", lookback=3600))
    assert ids(job.run()) == [1]
    committed = job.cursor
    stamped.execute(f"insert into t values (2, '{(START - timedelta(minutes=30)).isoformat()}')")
    window = job.plan()
    assert window.overlap
    assert ids(job.read(window).to_pylist()) == [1, 2]
    job.commit(window)
    assert job.cursor == committed  # an older row does not move it, and a removed one does not move it back
    stamped.execute("delete from t where id = 1")
    job.run()
    assert job.cursor == committed


def test_rows_without_a_place_come_with_the_first_load_and_are_counted_later(stamped: Database) -> None:
    stamped.execute(f"insert into t values (1, '{START.isoformat()}'), (2, null), (3, 'infinity')")
    job = Job(stamped, table("t", "at"))
    assert ids(job.run()) == [1, 2, 3]
    stamped.execute(f"insert into t values (4, '{(START + timedelta(hours=1)).isoformat()}'), (5, null)")
    window = job.plan()
    assert ids(job.read(window).to_pylist()) == [4]
    assert [note for note in window.notes if note.startswith("3 rows of public.t have no")]
    assert ids(job.run(full=True)) == [1, 2, 3, 4, 5]


def test_a_cursor_without_any_value_is_refused(stamped: Database) -> None:
    stamped.execute("insert into t values (1, null)")
    job = Job(stamped, table("t", "at"))
    with pytest.raises(ConfigurationError, match=r"all rows of public.t have an empty"):
        job.plan()
    assert ids(job.run(full=True)) == [1]


def test_rows_ahead_of_the_clock_wait_and_are_mentioned(stamped: Database) -> None:
    stamped.execute("insert into t values (1, now()), (2, now() + interval '1 day')")
    job = Job(stamped, table("t", "at"))
    time.sleep(0.01)
    window = job.plan()
    assert ids(job.read(window).to_pylist()) == [1]
    assert any("wait for a later run" in note for note in window.notes)


@requirement("REG-09")
def test_a_cursor_without_zone_trails_the_earlier_of_the_servers_clock_and_utc(database: Database) -> None:
    database.execute(f"alter database {database.name} set timezone = 'America/New_York'")
    database.execute(
        "create table t (id int, at timestamp)",
        "insert into t values (1, localtimestamp), (2, now() at time zone 'UTC')",
    )
    job = Job(database, table("t", "at"))
    assert ids(job.run()) == [1]
    assert job.plan().kind == "empty"
    utc = Job(database, table("t", "at", options={"timezone": "UTC"}))
    assert ids(utc.run()) == [1, 2]
    contract = ContractSpec("t", fields=(Field("at", "timestamptz", timezone="Asia/Tokyo"),))
    assert ids(Job(database, table("t", "at", contract=contract)).run()) == [1, 2]


def test_a_clock_that_will_be_set_back_holds_the_window_back(database: Database) -> None:
    """At 01:30 in New York, half an hour before 02:00 becomes 01:00, wall-clock times from 01:00 on come again."""
    from dativo_provider.connectors.postgres.settle import _WALL

    def wall(instant: str) -> str:
        connection = database.connect()
        with connection.cursor() as cursor:
            cursor.execute(_WALL, (instant, instant, ["America/New_York"]))
            return str(cursor.fetchone()[0])

    assert wall("2026-11-01 05:30:10+00") == "2026-11-01 01:00:00"
    assert wall("2026-11-01 06:30:10+00") == "2026-11-01 01:30:10"
    assert wall("2026-03-08 06:59:10+00") == "2026-03-08 01:59:10"


def test_dates_are_read_when_their_day_is_over(database: Database) -> None:
    database.execute("create table t (id int, day date)", "insert into t values (1, current_date - 2)")
    job = Job(database, table("t", "day"))
    assert ids(job.run()) == [1]
    database.execute("insert into t values (2, current_date - 1), (3, current_date)")
    window = job.plan()
    assert ids(job.read(window).to_pylist()) == [2]
    assert window.type == "date"
    assert any("wait" in note for note in window.notes)


# whole numbers ------------------------------------------------------------------------------------------------


@requirement("STA-02", "REG-08")
def test_a_smaller_number_that_commits_later_is_not_lost(numbered: Database) -> None:
    job = Job(numbered, table("t", "id", lag=0))
    numbered.execute("insert into t (v) values ('a')")
    assert ids(job.run()) == [1]
    with writer(numbered, "insert into t (v) values ('late')") as late:  # draws 2
        numbered.execute("insert into t (v) values ('early')")  # draws 3
        held = job.plan()
        assert held.kind == "empty"
        assert held.cursor == job.cursor
        assert any(f"pid {late.info.backend_pid} has uncommitted rows in public.t" in note for note in held.notes)
    assert ids(job.run()) == [2, 3]
    assert job.run() == []
    assert job.cursor == Cursor({"column": "id", "type": "long", "value": "4"})


def test_the_plan_waits_for_writers_that_end_within_the_lag(numbered: Database) -> None:
    job = Job(numbered, table("t", "id", lag=20))
    with writer(numbered, "insert into t (v) values ('late')") as late:
        numbered.execute("insert into t (v) values ('early')")
        threading.Timer(0.5, late.commit).start()
        assert ids(job.run()) == [1, 2]


INDEXES_LOCKED = """
select count(*) from pg_locks l join pg_class c on c.oid = l.relation
where l.mode = 'RowExclusiveLock' and c.relkind = 'i' and c.relname = 't_pkey'
"""


def test_a_vacuum_is_no_writer(numbered: Database) -> None:
    """It locks the indexes as a writer does, and a query may read any table."""
    numbered.execute(
        "insert into t (v) select repeat('x', 500) from generate_series(1, 20000)", "delete from t where id > 9"
    )
    connection = numbered.connect()
    with connection.cursor() as cursor:
        cursor.execute("set vacuum_cost_delay = 100; set vacuum_cost_limit = 1")
        vacuum = threading.Thread(target=_ignoring_cancel, args=(cursor, "vacuum t"))
        vacuum.start()
        eventually(lambda: numbered.execute(INDEXES_LOCKED)[0][0] > 0)
        job = Job(numbered, table("q", "id", lag=0, query="select id from t"))
        assert ids(job.run()) == list(range(1, 10))
        assert numbered.execute(INDEXES_LOCKED)[0][0] > 0  # all the time
        connection.cancel()
        vacuum.join()
    connection.close()


def _ignoring_cancel(cursor: Any, statement: str) -> None:
    with suppress(psycopg2.errors.QueryCanceled):
        cursor.execute(statement)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_waiting_for_a_writer_can_be_cancelled(numbered: Database) -> None:
    numbered.execute("insert into t (v) values ('a')")
    ctx = context()
    with writer(numbered, "insert into t (v) values ('late')"), reader(source(numbered), ctx) as opened:
        threading.Timer(0.3, ctx.cancel).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            opened.window(table("t", "id", lag=60), WindowRequest())
        assert time.monotonic() - began < 5


def test_a_full_load_cannot_wait_and_asks_to_be_repeated(numbered: Database) -> None:
    numbered.execute("insert into t (v) values ('a')")
    job = Job(numbered, table("t", "id", lag=0))
    with writer(numbered, "insert into t (v) values ('late')"):
        from dativo_provider.connectors.postgres.reader import PostgresReader

        quick = PostgresReader(job.source, context())
        quick.retry = type(quick.retry)(attempts=1)  # type: ignore[misc]
        with pytest.raises(SourceUnavailable, match=r"uncommitted rows in public.t"):
            quick.window(job.stream, WindowRequest(full=True))


def test_writers_of_partitions_are_seen(database: Database) -> None:
    database.execute(
        "create table t (id bigserial, v text) partition by range (id)",
        "create table t1 partition of t for values from (0) to (1000)",
        "insert into t (v) values ('a')",
    )
    job = Job(database, table("t", "id", lag=0))
    with writer(database, "insert into t1 (v) values ('b')"):
        assert job.plan().kind == "empty"
    assert ids(job.run()) == [1, 2]


def test_writers_of_other_tables_do_not_matter(numbered: Database) -> None:
    numbered.execute("create table other (id int)", "insert into t (v) values ('a')")
    job = Job(numbered, table("t", "id", lag=0))
    with writer(numbered, "insert into other values (1)"):
        assert ids(job.run()) == [1]


def test_behind_a_view_any_writer_matters(numbered: Database) -> None:
    numbered.execute("insert into t (v) values ('a')", "create view w as select * from t")
    job = Job(numbered, table("w", "id", lag=0))
    with writer(numbered, "insert into t (v) values ('b')"):
        assert job.plan().kind == "empty"
    assert ids(job.run()) == [1, 2]


def test_a_sequence_that_hands_out_blocks_is_mentioned(numbered: Database) -> None:
    numbered.execute("alter sequence t_id_seq cache 20", "insert into t (v) values ('a')")
    assert any("hands out 20 numbers" in note for note in Job(numbered, table("t", "id")).plan().notes)


def test_numbers_at_the_end_of_their_range_are_read(database: Database) -> None:
    database.execute("create table t (id bigint)", f"insert into t values ({2**63 - 1}), ({-(2**63)})")
    job = Job(database, table("t", "id"))
    assert len(job.run()) == 2
    assert job.run() == []


def test_a_numeric_without_fraction_is_a_cursor(database: Database) -> None:
    database.execute("create table t (id numeric(20,0))", "insert into t values (18446744073709551615)")
    job = Job(database, table("t", "id"))
    assert len(job.run()) == 1
    assert job.cursor == Cursor({"column": "id", "type": "decimal(20,0)", "value": "18446744073709551616"})


def test_lookback_over_numbers_is_refused(numbered: Database) -> None:
    with pytest.raises(ConfigurationError, match="lookback is a span of time"):
        Job(numbered, table("t", "id", lookback=3600)).plan()


# what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "uuid", "double precision", "jsonb", "boolean", "numeric(10,2)"])
def test_a_column_that_does_not_order_rows_is_no_cursor(database: Database, kind: str) -> None:
    database.execute(f"create table t (v {kind}, updated_at timestamp)")
    with pytest.raises(ConfigurationError, match="does not say which rows came later") as caught:
        Job(database, table("t", "v")).plan()
    assert "updated_at" in caught.value.remedy


def test_a_misspelt_cursor_is_corrected(stamped: Database) -> None:
    with pytest.raises(ConfigurationError, match=r"is not a column of public.t \(has: id, at\)") as caught:
        Job(stamped, table("t", "att")).plan()
    assert "'at'" in caught.value.remedy


def test_a_cursor_of_another_column_is_refused(stamped: Database) -> None:
    stamped.execute(f"insert into t values (1, '{START.isoformat()}')")
    job = Job(stamped, table("t", "at"))
    job.run()
    job.stream = table("t", "id")
    with pytest.raises(ConfigurationError, match=r"the last run ended at at \(timestamptz\)"):
        job.plan()
    assert ids(job.run(full=True)) == [1]
    assert job.cursor == Cursor({"column": "id", "type": "int", "value": "2"})


# ranges -------------------------------------------------------------------------------------------------------


def test_a_backfill_reads_its_half_open_range_and_moves_no_cursor(stamped: Database) -> None:
    stamped.execute(
        "insert into t select g, '2026-03-01'::timestamptz + g * interval '1 day' from generate_series(0, 9) g"
    )
    job = Job(stamped, table("t", "at"))
    window = job.plan(start="2026-03-03T00:00:00+00:00", end="2026-03-05T01:00:00+01:00")
    assert (window.kind, window.cursor) == ("range", None)
    assert ids(job.read(window).to_pylist()) == [2, 3]
    assert ids(job.read(job.plan(start="2026-03-09")).to_pylist()) == [8, 9]
    assert ids(job.read(job.plan(end="2026-03-02")).to_pylist()) == [0]
    assert job.plan(start="2027-01-01", end="2027-01-02").kind == "empty"


def test_a_range_whose_end_is_not_settled_says_so(stamped: Database) -> None:
    stamped.execute("insert into t values (1, now())")
    window = Job(stamped, table("t", "at")).plan(start="2026-01-01", end="2999-01-01")
    assert any("may still arrive in this range" in note for note in window.notes)


def test_a_range_of_days_holds_the_days_that_begin_in_it(database: Database) -> None:
    database.execute("create table t (id int, day date)")
    database.execute("insert into t select g, '2026-03-01'::date + g from generate_series(0, 9) g")
    job = Job(database, table("t", "day"))
    window = job.plan(start="2026-03-02T00:00:00+00:00", end="2026-03-04T00:00:00+00:00")
    assert ids(job.read(window).to_pylist()) == [1, 2]
    assert ids(job.read(job.plan(start="2026-03-02T06:00:00", end="2026-03-04T06:00:00")).to_pylist()) == [2, 3]


def test_a_range_of_local_times_honours_the_zone_it_was_written_with(database: Database) -> None:
    database.execute("create table t (id int, at timestamp)")
    database.execute(
        "insert into t select g, '2026-07-01'::timestamp + g * interval '1 hour' from generate_series(0, 23) g"
    )
    job = Job(database, table("t", "at", options={"timezone": "Europe/Berlin"}))
    window = job.plan(start="2026-07-01T10:00:00+00:00", end="2026-07-01T12:00:00+00:00")
    assert ids(job.read(window).to_pylist()) == [12, 13]


def test_a_bound_that_is_none_is_refused(stamped: Database) -> None:
    with pytest.raises(ConfigurationError, match="'yesterday' is no bound"):
        Job(stamped, table("t", "at")).plan(start="yesterday")
    with pytest.raises(ConfigurationError, match="no cursor to take a range of"):
        Job(stamped, table("t")).plan(start="2026-01-01")


# properties ---------------------------------------------------------------------------------------------------

ROUNDS = st.lists(st.lists(st.booleans(), max_size=6), min_size=1, max_size=5)  # of each row: does it commit late?


@pytest.fixture(scope="module")
def shared(postgres: Postgres) -> Iterator[Database]:
    with postgres.database() as database:
        database.execute("create table t (id bigserial primary key, at timestamptz not null)", "create index on t (at)")
        yield database


@pytest.mark.parametrize("cursor", ["id", "at"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=ROUNDS, want=st.integers(1, 4))
def test_all_runs_together_read_every_row_exactly_once(
    shared: Database, cursor: str, rounds: list[list[bool]], want: int
) -> None:
    """Rows arrive between runs and between plan and read, some in transactions that end in the next round."""
    shared.execute("truncate t restart identity")
    job = Job(shared, table("t", cursor, lag=0), {"min_slice_rows": 1})
    seen: list[int] = []
    open_ones: list[Any] = []
    for rows in rounds:
        ended, open_ones = open_ones, []
        for late in rows:
            connection = shared.connect()
            connection.autocommit = False
            connection.cursor().execute("insert into t (at) values (now())")
            open_ones.append(connection) if late else _end(connection)
        window = job.plan()
        for connection in ended:
            _end(connection)
        seen += [row["id"] for row in job.read(window, want).to_pylist()]
        job.commit(window)
    for connection in open_ones:
        _end(connection)
    seen += ids(job.run())
    assert sorted(seen) == [number for (number,) in shared.execute("select id from t order by id")]


def _end(connection: Any) -> None:
    connection.commit()
    connection.close()


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2026, 1, 1))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(MOMENTS, max_size=5), max_size=4), indexed=st.booleans())
def test_rising_moments_of_any_precision_are_read_once(
    postgres: Postgres, shared: Database, batches: list[list[datetime]], indexed: bool
) -> None:
    """Windows of rows whose times rise from batch to batch, equal ones within a batch included."""
    shared.execute("drop table if exists m", "create table m (id serial, at timestamp)")
    if indexed:
        shared.execute("create index on m (at)")
    job, floor, seen = Job(shared, table("m", "at")), datetime(1970, 1, 1), []
    for batch in batches:
        rows = [moment for moment in batch if moment > floor]
        for moment in rows:
            shared.execute(f"insert into m (at) values ('{moment.isoformat()}'), ('{moment.isoformat()}')")
        floor = max([floor, *rows])
        seen += [row["id"] for row in job.run()]
    assert sorted(seen) == [number for (number,) in shared.execute("select id from m order by id")]
