"""Reading: complete or an error, in bounded memory, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dativo_provider.connectors.postgres import copy as copy_module
from dativo_provider.connectors.postgres.parallel import merged
from dativo_provider.errors import (
    Cancelled,
    ConfigurationError,
    DataError,
    InternalError,
    SourceChanged,
    SourceUnavailable,
)
from dativo_provider.model.stream import WindowRequest
from tests.connectors.postgres_world import Job, context, ids, reader, source, table
from tests.services.framework import ROOT
from tests.services.postgres import Database, Postgres

BIG = "select g as id, repeat('x', 200) as v from generate_series(1, 400000) g"


@pytest.fixture(scope="module")
def big(postgres: Postgres) -> Iterator[Database]:
    """A table of 400 000 rows on about 12 000 pages."""
    with postgres.database() as database:
        database.execute(f"create table big as {BIG}", "alter table big add primary key (id)", "analyze big")
        yield database


def backends(database: Database) -> list[tuple[int, str]]:
    return database.execute(
        "select pid, query from pg_stat_activity where datname = current_database() and application_name = 'dativo'"
    )  # type: ignore[return-value]


def assert_gone(database: Database) -> None:
    """No session of ours is left on the server, once it has noticed that we are gone."""
    deadline = time.monotonic() + 5
    while (left := backends(database)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dativo-")]


# complete or an error -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_killed_backend_is_an_error_and_not_an_early_end(big: Database, threads: int) -> None:
    job = Job(big, table("big"), {"threads": threads})
    (piece,) = job.slices(job.plan(full=True))
    with reader(job.source) as opened:
        batches = opened.read(job.stream, piece)
        next(batches)
        pid = next(pid for pid, query in backends(big) if query.startswith("copy"))
        big.execute(f"select pg_terminate_backend({pid})")
        with pytest.raises(SourceUnavailable):
            list(batches)
    assert_gone(big)
    assert our_threads() == []


def test_a_connection_cut_by_the_network_is_an_error(big: Database) -> None:
    from dativo_provider.connectors.postgres.reader import PostgresReader

    job = Job(big, table("big"))
    (piece,) = job.slices(job.plan(full=True))
    opened = PostgresReader(job.source, context())
    batches = opened.read(job.stream, piece)
    next(batches)
    for session in opened._live:
        session.shut()
    with pytest.raises(SourceUnavailable):
        list(batches)
    assert_gone(big)


def test_a_row_count_that_differs_from_the_servers_is_an_error(big: Database, monkeypatch: Any) -> None:
    from dativo_provider.connectors.postgres.parse import Parser

    whole = Parser.batch
    monkeypatch.setattr(Parser, "batch", lambda self, block: whole(self, block).slice(1))
    with pytest.raises(SourceUnavailable, match=r"the source sent 400000 rows, of which \d+ arrived"):
        Job(big, table("big")).run(full=True)


@pytest.mark.parametrize("threads", [1, 3])
def test_closing_early_leaves_no_thread_and_no_backend(big: Database, threads: int) -> None:
    job = Job(big, table("big"), {"threads": threads})
    (piece,) = job.slices(job.plan(full=True))
    with reader(job.source) as opened:
        batches = opened.read(job.stream, piece)
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        assert our_threads() == []
        assert_gone(big)


def test_a_query_that_has_not_begun_to_answer_is_ended_by_cancelling(big: Database) -> None:
    ctx = context()
    stream = table("slow", query="select count(*) as id from big a, big b, big c")
    with reader(source(big), ctx) as opened:
        (piece,) = opened.slices(stream, opened.window(stream, WindowRequest(full=True)), 1)
        threading.Timer(0.5, ctx.cancel).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            list(opened.read(stream, piece))
        assert time.monotonic() - began < 5
    assert_gone(big)


# a process that a shell put in the background is born deaf to SIGINT
INTERRUPTED = """
import sys, json, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.connectors.database_world import *
from tests.connectors.postgres_world import *
from tests.services.postgres import Database
database = Database(*json.loads(sys.argv[1]))
stream = table("slow", "id", query="select count(*) as id from big a, big b, big c")
with reader(source(database)) as opened:
    print("asking", flush=True)
    try:
        opened.window(stream, WindowRequest())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_ctrl_c_reaches_a_query_of_the_plan(big: Database) -> None:
    import json
    import signal

    command = [sys.executable, "-c", INTERRUPTED, json.dumps([big.url, big.name])]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    assert child.stdout.readline() == "asking\n"
    deadline = time.monotonic() + 10
    while not any("count" in query for _, query in backends(big)) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=6) == 0
    assert child.stdout.read() == "interrupted\n"
    assert_gone(big)


# one snapshot, several COPYs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_read_every_row_once(big: Database, threads: int) -> None:
    job = Job(big, table("big"), {"threads": threads})
    (piece,) = job.slices(job.plan(full=True))
    with reader(job.source) as opened:
        rows = [number for batch in opened.read(job.stream, piece) for number in batch.data["id"].to_pylist()]
        assert opened.result().detail["threads"] == min(threads, job.source.pool_size)
    assert sorted(rows) == list(range(1, 400_001))


def test_where_the_snapshot_cannot_be_shared_one_thread_reads_all(big: Database, monkeypatch: Any) -> None:
    from dativo_provider.connectors.postgres.session import Session

    begin = Session.begin
    monkeypatch.setattr(Session, "begin", lambda self, snapshot="": begin(self, snapshot and "00000000-00000000-1"))
    job = Job(big, table("big"), {"threads": 2})
    (piece,) = job.slices(job.plan(full=True))
    with reader(job.source) as opened:
        assert sum(batch.rows for batch in opened.read(job.stream, piece)) == 400_000
        assert opened.result().detail["threads"] == 1


def test_threads_see_one_snapshot_while_others_write(postgres: Postgres) -> None:
    """A writer moves money between rows all the while: no snapshot of the table has another total."""
    with postgres.database() as database:
        database.execute(
            "create table t as select g as id, 100 as v, repeat('x', 500) as filler from generate_series(1, 20000) g"
        )
        stop = threading.Event()
        moving = threading.Thread(target=_move, args=(database, stop))
        moving.start()
        try:
            job = Job(database, table("t", columns=("id", "v")), {"threads": 4})
            for _ in range(5):
                rows = job.run(full=True)
                assert len(rows) == 20_000
                assert sum(row["v"] for row in rows) == 2_000_000
        finally:
            stop.set()
            moving.join()


def _move(database: Database, stop: threading.Event) -> None:
    connection = database.connect()
    cursor, step = connection.cursor(), 0
    while not stop.is_set():
        a, b = step * 7919 % 20000 + 1, step * 104729 % 20000 + 1
        step += 1
        if a != b:
            cursor.execute("update t set v = v + case when id = %s then 1 else -1 end where id in (%s, %s)", (a, a, b))
    connection.close()


def test_only_whole_plain_tables_are_split_by_pages(big: Database) -> None:
    big.execute("create or replace view v as select * from big")

    def threads(stream: Any, window: Any = None, want: int = 1) -> int:
        job = Job(big, stream, {"threads": 2, "min_slice_rows": 1})
        piece = job.slices(window or job.plan(full=True), want)[0]
        with reader(job.source) as opened:
            for _ in opened.read(stream, piece):
                pass
            return int(opened.result().detail["threads"])

    assert threads(table("big")) == 2
    assert threads(table("v")) == 1
    assert threads(table("q", query="select * from big")) == 1
    assert threads(table("big"), want=2) == 1
    job = Job(big, table("big", "id"))
    assert threads(job.stream, job.plan()) == 2  # the first increment is the whole table
    job.commit(job.plan())


def test_an_error_in_one_thread_ends_all(big: Database) -> None:
    began = threading.Event()

    def failing() -> Iterator[int]:
        began.wait(5)
        yield 1
        raise ValueError("broken")

    def endless() -> Iterator[int]:
        began.set()
        while True:
            yield 0

    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"):
        for _ in merged([endless(), failing()], [lambda: None, lambda: None]):
            pass
    assert threading.active_count() == before


# records and blocks -------------------------------------------------------------------------------------------


def test_a_giant_cell_is_read(database: Database) -> None:
    database.execute("create table t (id int, v text)")
    database.execute("insert into t select g, repeat(E'a\"\\n', 4000000 * (g % 2) + 1) from generate_series(1, 4) g")
    rows = Job(database, table("t")).run(full=True)
    assert {row["id"]: len(row["v"]) for row in rows} == {1: 12_000_003, 2: 3, 3: 12_000_003, 4: 3}


def test_a_cell_beyond_the_limit_is_named_as_the_reason(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(copy_module, "BLOCK", 1 << 16)
    monkeypatch.setattr(copy_module, "LARGEST", 1 << 18)
    database.execute("create table t (v text)", "insert into t values (repeat('x', 1000000))")
    with pytest.raises(DataError, match="a row is larger than"):
        Job(database, table("t")).run(full=True)


@pytest.mark.parametrize("block", [64, 1000, 65536])
def test_records_never_break_at_the_edge_of_a_block(database: Database, monkeypatch: Any, block: int) -> None:
    monkeypatch.setattr(copy_module, "BLOCK", block)
    database.execute("create table t (id int, v text)")
    database.execute(
        "insert into t select g, repeat(E'\\n\"', g % 40) || case g % 3 when 0 then ',' else '' end "
        "from generate_series(1, 2000) g"
    )
    rows = {row["id"]: row["v"] for row in Job(database, table("t")).run(full=True)}
    assert rows == {g: '\n"' * (g % 40) + ("," if g % 3 == 0 else "") for g in range(1, 2001)}


def test_a_row_in_pieces_is_refused() -> None:
    with pytest.raises(InternalError, match="in pieces"):
        copy_module._Blocks().write(b"1,abc\n2,")


def test_batch_size_bounds_the_rows_of_a_batch(big: Database) -> None:
    job = Job(big, table("big"), {"batch_size": 10_000})
    (piece,) = job.slices(job.plan(full=True))
    assert max(batch.rows for batch in job.batches(piece)) == 10_000


# slices -------------------------------------------------------------------------------------------------------


def test_slices_are_balanced_by_the_statistics(postgres: Postgres) -> None:
    with postgres.database() as database:
        database.execute(
            "create table t (id bigint primary key, v int)",
            "insert into t select case when g <= 9000 then g else g * 1000000::bigint end, 1 "
            "from generate_series(1, 10000) g",
            "analyze t",
        )
        job = Job(database, table("t"), {"min_slice_rows": 1})
        pieces = job.slices(job.plan(full=True), 4)
        sizes = [sum(batch.rows for batch in job.batches(piece)) for piece in pieces]
        assert len(sizes) == 4
        assert sum(sizes) == 10_000
        assert max(sizes) < 3_500


@pytest.mark.parametrize("kind", ["text", "uuid", "timestamptz", "date", "numeric", "integer"])
def test_every_kind_of_key_makes_slices_that_lose_nothing(database: Database, kind: str) -> None:
    value = {
        "text": "chr(97 + g % 26) || g::text || ''''",
        "uuid": "md5(g::text)::uuid",
        "timestamptz": "'2026-01-01'::timestamptz + g * interval '1 minute'",
        "date": "'2026-01-01'::date + g",
        "numeric": "g / 7.0",
        "integer": "g - 500",
    }[kind]
    database.execute(
        f"create table t (k {kind} primary key, id int)",
        f"insert into t select {value}, g from generate_series(1, 1000) g",
        "analyze t",
    )
    job = Job(database, table("t"), {"min_slice_rows": 100})
    pieces = job.slices(job.plan(full=True), 8)
    assert len(pieces) == 8
    database.execute(f"insert into t select {value}, g from generate_series(2001, 2010) g")  # beyond the statistics
    rows = [row for piece in pieces for batch in job.batches(piece) for row in batch.data.to_pylist()]
    assert ids(rows) == [*range(1, 1001), *range(2001, 2011)]


def test_increments_are_sliced_within_their_window(database: Database) -> None:
    database.execute(
        "create table t (id int primary key, at timestamptz)",
        "insert into t select g, '2026-01-01'::timestamptz + g * interval '1 minute' from generate_series(1, 1000) g",
        "insert into t values (0, null)",
        "analyze t",
    )
    job = Job(database, table("t", "at"), {"min_slice_rows": 1})
    first = job.plan()
    assert ids(job.read(first, 5).to_pylist()) == list(range(1001))
    job.commit(first)
    database.execute(
        "insert into t select g, '2026-02-01'::timestamptz + g * interval '1 second' from generate_series(2001, 2100) g"
    )
    second = job.plan()
    pieces = job.slices(second, 4)
    sizes = [sum(batch.rows for batch in job.batches(piece)) for piece in pieces]
    assert len(pieces) == 4
    assert sum(sizes) == 100
    assert max(sizes) < 60


def test_a_table_without_a_usable_key_is_one_slice(database: Database) -> None:
    database.execute("create table t (v jsonb)", "insert into t select '{}' from generate_series(1, 1000)", "analyze t")
    job = Job(database, table("t"), {"min_slice_rows": 1})
    assert len(job.slices(job.plan(full=True), 8)) == 1
    assert len(job.run(8, full=True)) == 1000


def test_small_tables_are_not_cut(big: Database) -> None:
    job = Job(big, table("big"), {"min_slice_rows": 300_000})
    assert len(job.slices(job.plan(full=True), 8)) == 1
    job.options = {"min_slice_rows": 100_000}
    pieces = job.slices(job.plan(full=True), 8)
    assert len(pieces) == 4
    assert all(90_000 <= (piece.rows or 0) <= 110_000 for piece in pieces)


def test_a_table_never_analysed_is_measured_by_its_pages(database: Database) -> None:
    database.execute(
        "create table t (id bigint primary key) with (autovacuum_enabled = off)",
        "insert into t select g from generate_series(1, 20000) g",
    )
    job = Job(database, table("t"), {"min_slice_rows": 1000})
    assert len(job.slices(job.plan(full=True), 4)) == 4
    assert ids(job.run(4, full=True)) == list(range(1, 20001))


# what the job asks for ----------------------------------------------------------------------------------------


def test_columns_where_and_query_are_honoured(big: Database) -> None:
    stream = table("big", columns=("id",), where="id <= 10 -- the first ones")
    assert Job(big, stream).run(full=True) == [{"id": g} for g in range(1, 11)]
    stream = table("q", query="select id * 2 as twice, v from big where id < 3; -- two", columns=("twice",))
    assert Job(big, stream).run(full=True) == [{"twice": 2}, {"twice": 4}]
    stream = table("q", "id", query="with x as (select * from big) select id from x", where="id % 100000 = 0")
    job = Job(big, stream)
    assert ids(job.run()) == [100_000, 200_000, 300_000, 400_000]
    assert job.run() == []


ODD_NAMES = ['we"ird', "with space", "dot.ted", "ünïcode", "UPPER", "select", "per%cent", "back\\slash", "q'uote"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_quoted(database: Database, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    database.execute(
        f"create schema {quoted}",
        f"create table {quoted}.{quoted} (id int primary key, {quoted} timestamptz)",
        f"insert into {quoted}.{quoted} select g, '2026-01-01'::timestamptz + g * interval '1 s' "
        "from generate_series(1, 100) g",
        f"analyze {quoted}.{quoted}",
    )
    with reader(source(database)) as opened:
        (found,) = opened.discover()
    job = Job(database, table(found.name, name, columns=("id", name)), {"min_slice_rows": 1})
    assert ids(job.run(3)) == list(range(1, 101))
    assert job.run() == []
    assert ids(Job(database, table(f"{quoted}.{quoted}")).run(3, full=True)) == list(range(1, 101))


HOSTILE = [
    "select 1; drop table big",
    "select 1) as x; select (1",
    "select 1) x) to program 'touch /tmp/pwned' --",
    "select 'open",
    'select 1 as "open',
    "select $$open",
    "select $a$ text $$ ) x; drop table big --",
    "select /* open",
    "select 1 /* a /* b */",
    "delete from big",
    "copy big to program 'touch /tmp/pwned'",
    "select (1",
    "",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_a_query_cannot_leave_its_parentheses(big: Database, query: str) -> None:
    stream = table("q", query=query or " ")
    with reader(source(big)) as opened, pytest.raises(ConfigurationError):
        opened.describe(stream)


@pytest.mark.parametrize("where", ["true) --", "1=1; drop table big", "'", "id = $$1", "/*", "(true"])
def test_a_where_cannot_leave_its_parentheses(big: Database, where: str) -> None:
    with pytest.raises(ConfigurationError):
        Job(big, table("big", where=where)).run(full=True)


def test_semicolons_and_parentheses_inside_text_are_only_text(big: Database) -> None:
    query = """/* ; ( */ select ';)' as a, $x$;)$x$ as b, E'\\';(' as c, 1 as "d;)" -- ;("""
    assert Job(big, table("q", query=query)).run(full=True) == [{"a": ";)", "b": ";)", "c": "';(", "d;)": 1}]


def test_a_query_that_writes_is_refused_by_the_server(big: Database) -> None:
    big.execute("create or replace function f() returns int language sql as 'delete from big returning 1'")
    with pytest.raises(ConfigurationError, match="read-only transaction"):
        Job(big, table("q", query="select f() as id")).run(full=True)
    assert big.execute("select count(*) from big") == [(400_000,)]


# what changed since the plan ----------------------------------------------------------------------------------


def test_a_column_that_went_away_between_plan_and_read_is_named(database: Database) -> None:
    database.execute("create table t (id int, gone int, stays int)")
    job = Job(database, table("t"))
    (piece,) = job.slices(job.plan(full=True))
    database.execute("alter table t drop column gone", "alter table t add column fresh int")
    with reader(job.source) as opened, pytest.raises(SourceChanged, match="has no column gone"):
        list(opened.read(job.stream, piece))


def test_columns_added_after_the_plan_wait_for_the_next(database: Database) -> None:
    database.execute("create table t (id int)", "insert into t values (1)")
    job = Job(database, table("t"))
    window = job.plan(full=True)
    (piece,) = job.slices(window)
    database.execute("alter table t add column fresh int default 7")
    assert job.batches(piece)[0].data.to_pylist() == [{"id": 1}]
    assert job.run(full=True) == [{"id": 1, "fresh": 7}]


def test_an_error_in_the_middle_of_the_rows_keeps_their_values_to_itself(database: Database) -> None:
    database.execute("create table t (v text)", "insert into t select 'x@example.org'")
    with pytest.raises(DataError) as caught:
        Job(database, table("t", query="select v::int as id from t")).run(full=True)
    assert "x@example.org" not in str(caught.value)
    assert "invalid text representation" in str(caught.value)
