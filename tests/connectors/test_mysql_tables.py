"""Tables as they are found out there: generated and hidden columns, partitions, views, names and modes of all kinds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from dativo_provider.errors import SourceUnavailable
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.reader import Reader
from tests.connectors.mysql_world import SERVERS, Job, context, database_of, ids, is_mysql, numbers, reader, table
from tests.services.mariadb import MariaDatabase
from tests.support import requirement


@pytest.fixture(params=SERVERS)
def maria(request: pytest.FixtureRequest) -> Iterator[MariaDatabase]:
    yield from database_of(request)


@contextmanager
def set_globally(maria: MariaDatabase, **settings: str) -> Iterator[None]:
    """New sessions begin with these."""
    shown = ", ".join(f"@@global.{name}" for name in settings)
    before = dict(zip(settings, maria.execute(f"select {shown}")[0], strict=True))
    try:
        maria.execute(*(f"set global {name} = {value}" for name, value in settings.items()))
        yield
    finally:
        maria.execute(*(f"set global {name} = {value!r}" for name, value in before.items()))


@requirement("CON-03")
def test_generated_and_hidden_columns_are_read(maria: MariaDatabase) -> None:
    hidden = "" if is_mysql(maria) else "invisible default 7"  # MySQL has them since 8.0.23
    maria.execute(f"""create table t (id int primary key, price decimal(12,2), hidden int {hidden},
        gross decimal(14,2) as (price * 2) virtual, doubled int as (id * 2) stored)""",
                  "insert into t (id, price) values (1, 2.5)")  # fmt: skip
    row = Job(maria, table("t")).run()[0]
    assert row == {"id": 1, "price": Decimal("2.50"), "hidden": None if is_mysql(maria) else 7,
                   "gross": Decimal("5.00"), "doubled": 2}  # fmt: skip
    assert [*Job(maria, table("t", columns=("hidden", "id"))).run()[0]] == ["hidden", "id"]


@requirement("CON-03")
def test_partitions_are_one_table_in_every_share(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key) partition by hash (id) partitions 4",
                  f"insert into t select seq from {numbers(1, 2000)}", "analyze table t")  # fmt: skip
    job = Job(maria, table("t"), {"min_slice_rows": 50})
    assert ids(job.run(want=4)) == list(range(1, 2001))


@requirement("CON-03")
def test_a_view_has_no_key_and_is_read_in_one_piece(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, a int)", f"insert into t select seq, 1 from {numbers(1, 500)}",
                  "create view v as select id, a + 1 as b from t where id > 100")  # fmt: skip
    job = Job(maria, table("v"), {"min_slice_rows": 10})
    assert job.describe().primary_key == ()
    assert len(job.slices(job.plan(), 4)) == 1
    assert ids(job.run(want=4)) == list(range(101, 501))


@requirement("CON-03")
def test_a_table_of_the_same_name_elsewhere_is_another(maria: MariaDatabase) -> None:
    """Its columns and keys are not mixed with ours; written with its database it is the one that is meant."""
    other = f"{maria.params['database']}_other"
    maria.execute(f"create database {other}", f"create table {other}.t (other varchar(9), primary key (other))",
                  f"insert into {other}.t values ('there')",
                  "create table t (id int primary key)", "insert into t values (1)")  # fmt: skip
    try:
        assert Job(maria, table("t")).run() == [{"id": 1}]
        assert Job(maria, table("t")).describe().primary_key == ("id",)
        assert Job(maria, table(f"{other}.t")).run() == [{"other": "there"}]
    finally:
        maria.execute(f"drop database {other}")


@requirement("CON-03")
def test_names_are_found_in_their_own_case_before_any_other(maria: MariaDatabase) -> None:
    maria.execute("create table Orders (id int primary key)", "insert into Orders values (1)",
                  "create table orders (id int primary key)", "insert into orders values (2)")  # fmt: skip
    assert ids(Job(maria, table("Orders")).run()) == [1]
    assert ids(Job(maria, table("orders")).run()) == [2]


@requirement("CON-03")
@pytest.mark.parametrize("mode", ["ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ANSI", "STRICT_ALL_TABLES,NO_ZERO_DATE", ""])
def test_names_and_literals_mean_the_same_in_every_mode_of_the_server(maria: MariaDatabase, mode: str) -> None:
    """Every character that a quote or an escape could be, in names, in values and in the job's own condition."""
    columns = ["größe", "with `tick`", 'with "quote"', "back\\slash", "per cent %s", "select", "日本"]
    names = ", ".join("`{}` varchar(20)".format(name.replace("`", "``")) for name in columns)
    maria.execute("set sql_mode = ''", f"create table `odd ``name` (id int primary key, at date, {names})")
    with maria.connect() as connection, connection.cursor() as cursor:
        values = ["'", '"', "\\", "\\'", "%", "`", "😀"]
        cursor.execute("set sql_mode = 'NO_BACKSLASH_ESCAPES'")
        cursor.execute(f"insert into `odd ``name` values (1, '0000-00-00', {', '.join(['%s'] * 7)})", values)
    with set_globally(maria, sql_mode=f"'{mode}'"):
        for where in ("", "`with \"quote\"` = '\\\\'", 'id = "1"'):
            rows = Job(maria, table("`odd ``name`", where=where), {"zero_dates": "null"}).run()
            assert rows == [{"id": 1, "at": None, **dict(zip(columns, values, strict=True))}], where


@requirement("CON-03")
def test_text_of_old_character_sets_arrives_as_it_was_written(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, a varchar(20) character set utf8, b varchar(20) character set "
                  "latin1, c varchar(20) character set utf16, d varchar(20) character set cp1251)",
                  "insert into t values (1, '漢ü', 'ß€', '😀x', 'Жя')")  # fmt: skip
    assert Job(maria, table("t")).run() == [{"id": 1, "a": "漢ü", "b": "ß€", "c": "😀x", "d": "Жя"}]


def _first_and_rest(opened: Reader, job: Job) -> Iterator[int]:
    """Rows of the first batch, then of all others."""
    batches = opened.read(job.stream, job.slices(job.plan())[0])
    yield next(iter(batches)).rows
    yield sum(batch.rows for batch in batches)


@requirement("CON-03", "ING-15")
def test_a_server_in_a_hurry_waits_for_a_slow_publisher(maria: MariaDatabase) -> None:
    """The server hangs up on a client that does not take its rows for `net_write_timeout`, or is idle too long."""
    maria.execute("create table t (id int primary key, a text)",
                  f"insert into t select seq, repeat('x', 1000) from {numbers(1, 30_000)}")  # fmt: skip
    job = Job(maria, table("t"), {"batch_size": 1000})
    hurried = {"net_write_timeout": "1", "net_read_timeout": "1", "wait_timeout": "1"}
    with set_globally(maria, **hurried), reader(job.source) as opened:
        counts = _first_and_rest(opened, job)
        first = next(counts)
        time.sleep(3)
        assert first + next(counts) == 30_000


@requirement("CON-03", "ING-15")
def test_a_connection_that_is_killed_while_it_is_read_is_replaced(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, a text)",
                  f"insert into t select seq, repeat('x', 1000) from {numbers(1, 30_000)}")  # fmt: skip
    job, ctx = Job(maria, table("t"), {"batch_size": 1000}), context()
    ours = f"select id from information_schema.processlist where db = '{maria.params['database']}'"
    with reader(SourceSpec("mysql", maria.params, options=job.options), ctx) as opened:
        counts = _first_and_rest(opened, job)
        next(counts)
        for (thread,) in maria.execute(f"{ours} and id <> connection_id()"):
            maria.execute(f"kill connection {thread}")
        with pytest.raises(SourceUnavailable):
            next(counts)
        assert sum(_first_and_rest(opened, job)) == 30_000
    ctx.kept.close()
