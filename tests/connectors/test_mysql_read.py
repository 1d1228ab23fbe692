"""MySQL's rows as Arrow: every type, values of every length, and servers that go away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pymysql.cursors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dativo_provider.connectors.mysql.errors import translate
from dativo_provider.connectors.mysql.login import parameters
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.connectors.mysql.parse import Parser
from dativo_provider.connectors.mysql.rows import Block
from dativo_provider.connectors.mysql.session import connect
from dativo_provider.connectors.mysql.sql import expression, subselect
from dativo_provider.connectors.mysql.types import Column
from dativo_provider.errors import (
    Cancelled,
    ConfigurationError,
    CredentialError,
    DataError,
    DativoError,
    SourceChanged,
    SourceUnavailable,
)
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
from tests.connectors.mysql_world import SERVERS, Job, context, database_of, is_mysql, numbers, reader, server_of, table
from tests.services.mariadb import MariaDatabase
from tests.support import requirement

TYPES = """create table every (
    id bigint unsigned primary key, tiny tinyint(1), small smallint, medium mediumint, whole int,
    positive int unsigned, large bigint, amount decimal(12,2) unsigned zerofill, wide decimal(65,2), single float,
    twice double, one bit(1), bits bit(12), full bit(64), day date, moment datetime, fine datetime(6),
    instant timestamp(3) null, clock time(2), born year, code char(4), name varchar(300), big longtext,
    doc json, kind enum('a','b'), flags set('x','y'), raw varbinary(20), blank blob, place point, ident uuid)
    comment 'every type'"""
ROW = """insert into every values (18446744073709551615, 2, -32768, 8388607, -2147483648, 4294967295,
    -9223372036854775808, 12.5, 12345678901234567890123456789012345678901234567890.12, 21666.66015625, 0.1, b'1',
    b'111111111111', b'1111111111111111111111111111111111111111111111111111111111111111', '2024-02-29',
    '0999-01-01 00:00:00', '9999-12-31 23:59:59.999999', '2024-03-31 01:30:00.125', '-838:59:59.00', 2024, 'ab',
    'ü😀', repeat('x', 70000), '{"b": 1,  "a": [null]}', 'b', 'x,y', x'00ff27', '', point(1, 2),
    '123e4567-e89b-12d3-a456-426614174000')"""


@pytest.fixture(params=SERVERS)
def maria(request: pytest.FixtureRequest) -> Iterator[MariaDatabase]:
    yield from database_of(request)


@requirement("CON-03")
def test_every_type_arrives_as_it_is(maria: MariaDatabase) -> None:
    own = TYPES.replace("ident uuid", "ident char(36)") if is_mysql(maria) else TYPES
    maria.execute("set time_zone = '+00:00'", own, ROW.replace("'2024-03-31 01:30:00.125'", "null"))
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set time_zone = '+00:00'")
        cursor.execute("update every set instant = '2024-03-31 01:30:00.125'")
    job = Job(maria, table("every"))
    assert job.types() == {
        "id": "decimal(20,0)", "tiny": "int", "small": "int", "medium": "int", "whole": "int", "positive": "long",
        "large": "long", "amount": "decimal(12,2)", "wide": "string", "single": "float", "twice": "double",
        "one": "boolean", "bits": "long", "full": "decimal(20,0)", "day": "date", "moment": "timestamp",
        "fine": "timestamp", "instant": "timestamptz", "clock": "string", "born": "int", "code": "string",
        "name": "string", "big": "string", "doc": "string", "kind": "string", "flags": "string", "raw": "binary",
        "blank": "binary", "place": "binary", "ident": "string" if is_mysql(maria) else "uuid",
    }  # fmt: skip
    assert job.describe().description == "every type"
    assert job.describe().primary_key == ("id",)
    row = job.run()[0]
    assert row["id"] == Decimal(2**64 - 1)
    assert (row["tiny"], row["positive"], row["large"]) == (2, 2**32 - 1, -(2**63))
    assert (row["amount"], row["wide"][:3], row["twice"]) == (Decimal("12.50"), "123", 0.1)
    assert row["single"] == 21666.66015625, "not the six digits of its text"
    assert (row["one"], row["bits"], row["full"]) == (True, 4095, Decimal(2**64 - 1))
    assert [str(row[name]) for name in ("day", "moment", "fine")] == [
        "2024-02-29", "0999-01-01 00:00:00", "9999-12-31 23:59:59.999999"
    ]  # fmt: skip
    assert row["instant"].isoformat() == "2024-03-31T01:30:00.125000+00:00"
    assert (row["clock"], row["born"], row["code"], row["name"]) == ("-838:59:59.00", 2024, "ab", "ü😀")
    document = '{"a": [null], "b": 1}' if is_mysql(maria) else '{"b": 1,  "a": [null]}'  # MySQL orders the keys
    assert (len(row["big"]), row["doc"], row["raw"], row["blank"]) == (70000, document, b"\x00\xff'", b"")
    assert (row["kind"], row["flags"], len(row["place"])) == ("b", "x,y", 25)


def test_a_query_has_the_types_of_its_columns_and_is_not_run_to_learn_them(maria: MariaDatabase) -> None:
    maria.execute(TYPES.replace("ident uuid", "ident char(36)"), ROW)
    query = "select id, amount * 2 as twice, name, raw, fine, sleep(5) is null as late from every"
    job = Job(maria, table("", query=query))
    begun = time.monotonic()
    assert job.types()["twice"].startswith("decimal(")
    assert time.monotonic() - begun < 4
    assert (job.types()["id"], job.types()["raw"], job.types()["fine"]) == ("decimal(20,0)", "binary", "timestamp")


@pytest.mark.parametrize(("option", "seen"), [("null", None), ("text", "0000-00-00")])
def test_dates_that_are_none_are_what_the_job_says(maria: MariaDatabase, option: str, seen: str | None) -> None:
    maria.execute("create table t (id int primary key, day date, at datetime)", "set sql_mode = ''",
                  "insert into t values (1, '0000-00-00', '2024-01-01'), (2, '2024-02-01', '0000-00-00')")  # fmt: skip
    rows = Job(maria, table("t"), {"zero_dates": option}).run()
    assert [str(row["day"]) for row in rows] == [str(seen), "2024-02-01"]


def test_dates_that_are_none_are_read_as_text_for_the_cast_to_judge(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, day date)", "insert into t values (1, '0000-00-00'), (2, null)")
    assert [row["day"] for row in Job(maria, table("t")).run()] == ["0000-00-00", None]


LENGTHS = st.sampled_from([0, 1, 4, 11, 12, 13, 249, 250, 251, 252, 255, 256, 65534, 65535, 65536, 70000])
VALUES = st.one_of(st.none(), LENGTHS.map(lambda size: "é" * (size // 2) + "x" * (size % 2)), st.just("NULL"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(VALUES, VALUES), max_size=30), st.sampled_from([0, 1, 3]))
def test_rows_are_cut_as_the_driver_cuts_them(
    mariadb_table: MariaDatabase, values: list[tuple[Any, Any]], batch_size: int
) -> None:
    with mariadb_table.connect() as connection, connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute("truncate table t")
        if values:
            cursor.executemany("insert into t (a, b) values (%s, %s)", values)
        cursor.execute("select id, a, b from t")
        expected = [{"id": int(id), "a": a, "b": b} for id, a, b in cursor]
    assert Job(mariadb_table, table("t"), {"batch_size": batch_size}).run() == expected


@pytest.fixture(scope="module", params=SERVERS)
def mariadb_table(request: pytest.FixtureRequest) -> Iterator[MariaDatabase]:
    with server_of(request).database() as database:
        database.execute("create table t (id int auto_increment primary key, a longtext, b longtext)")
        yield database


def test_rows_of_several_packets_arrive_whole(maria: MariaDatabase) -> None:
    """A packet holds 2^24 - 1 bytes at most; values at and around its end, and rows of three packets."""
    most = 2**24 - 1
    sizes = [most - 10, most - 9, most - 5, most - 4, most, 2 * most - 9, 2 * most + 5, 10]
    inserts = (f"insert into t values ({place}, repeat('x', {size}))" for place, size in enumerate(sizes))
    maria.execute("create table t (id int primary key, a longtext)", *inserts)
    assert [(row["id"], len(row["a"])) for row in Job(maria, table("t")).run()] == list(enumerate(sizes))


def test_a_server_that_hangs_up_is_never_the_end_of_the_rows(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, a char(200))",
                  f"insert into t select seq, repeat('x', 200) from {numbers(1, 200000)}")  # fmt: skip
    job = Job(maria, table("t"))
    piece = job.slices(job.plan())[0]
    with reader(job.source) as opened:
        batches = opened.read(job.stream, piece)
        next(batches)
        for (thread,) in maria.execute(
            f"select id from information_schema.processlist where db = '{maria.params['database']}' "
            "and id <> connection_id() and command = 'Query'"
        ):
            maria.execute(f"kill connection {thread}")
        with pytest.raises(SourceUnavailable):
            list(batches)


def test_a_column_or_table_that_has_gone_is_named_with_what_is_there(maria: MariaDatabase) -> None:
    maria.execute("create table orders (id int primary key)")
    with pytest.raises(SourceChanged, match=r"no table or view ordrs .*orders"):
        Job(maria, table("ordrs")).describe()
    job = Job(maria, table("orders", columns=("id", "amount")))
    with pytest.raises(SourceChanged, match="has no column amount"):
        job.describe()


@pytest.mark.parametrize(
    "query",
    [
        "delete from t", "select 1; select 2", "select 1)", "select 1 into @x", "select 1 into outfile 'f'",
        "select * from t for update", "select /*! 1 */ 2", "select load_file('f')", "select @a := 1", "select 'open",
        "select 1 /* open", "select `open", "select * from t lock in share mode",
    ],
)  # fmt: skip
def test_a_query_only_reads_and_stays_in_its_parentheses(query: str) -> None:
    with pytest.raises(ConfigurationError):
        subselect(query)


@pytest.mark.parametrize("where", ["a = 'x\\'); drop table t -- '", "a = 1 # comment )", 'a = ")" and b = "\\""'])
def test_a_condition_may_hold_whatever_stands_in_quotes_or_comments(where: str) -> None:
    assert expression(where) == f"({where}\n)"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"unix_socket": "/run/mysqld.sock"}, "unix_socket"),
        ({"local_infile": True}, "local_infile"),
        ({"host": "/run/mysqld.sock"}, "socket"),
        ({"ssl": {"mode": "sometimes"}}, "ssl mode"),
        ({"port": "x"}, "port"),
    ],
)
def test_what_a_job_may_not_say_of_a_connection_is_refused(
    maria: MariaDatabase, changed: dict[str, Any], says: str
) -> None:
    with (
        pytest.raises(ConfigurationError, match=says),
        reader(SourceSpec("mysql", {**maria.params, **changed}), context()) as opened,
    ):
        opened.check()


def test_errors_never_hold_values_of_rows(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key, a varchar(40))", "insert into t values (1, 'geheim')")
    job = Job(maria, table("", query="select id, extractvalue('<a/>', concat('/', a, '[')) as x from t"))
    with pytest.raises(DativoError) as caught:
        job.run()
    assert "geheim" not in f"{caught.value} {caught.value.remedy} {caught.value.details}"


def test_cancelling_ends_the_statement_on_the_server(maria: MariaDatabase) -> None:
    """Not only our side of the wire: a long sort would go on."""
    ctx = context()
    stream = table("", query="select 1 as id, sleep(60) as waited")
    running = (
        "select count(*) from information_schema.processlist where info like '%sleep(60)%' and id <> connection_id()"
    )
    source = SourceSpec("mysql", maria.params)
    with reader(source, ctx) as opened:
        piece = opened.slices(stream, opened.window(stream, WindowRequest(full=True)), 1)[0]
        threading.Timer(0.5, ctx.cancel).start()
        with pytest.raises(Cancelled):
            list(opened.read(stream, piece))
    for _ in range(30):
        if maria.execute(running)[0][0] == 0:
            return
        time.sleep(0.1)
    pytest.fail("the statement still runs")


def test_bytes_that_are_no_utf_8_are_an_error_and_no_text() -> None:
    block = Block(pa.py_buffer(b"\x02\xff\xfe"), [0], [3])
    with pytest.raises(DataError, match="not UTF-8"):
        Parser([Column("a", "string", "varchar(9)")], (), "t").batch(block)


def test_an_address_says_its_timeouts_in_numbers(maria: MariaDatabase) -> None:
    source = SourceSpec("mysql", {"url": "mysql://u:p%40w@h:3307/shop?connect_timeout=5&ssl_mode=disabled"})
    login = parameters(source, context())
    assert (login.values["connect_timeout"], login.values["password"], login.tls) == (5.0, "p@w", "disabled")
    assert login.place == "h:3307/shop"


@pytest.mark.parametrize(
    ("listed", "kind"),
    [
        ((1044, 1045, 1130, 1142, 1698, 3118), CredentialError),
        ((0, 1040, 1047, 1053, 1114, 1203, 1205, 1213, 1317, 1927, 2003, 2006, 2013, 4031), SourceUnavailable),
        ((1049, 1064, 1969, 2026, 3024), ConfigurationError),
        ((1054, 1146, 1356), SourceChanged),
        ((1153, 9999), DataError),
    ],
)
def test_errors_of_the_server_say_what_to_do(listed: tuple[int, ...], kind: type[DativoError]) -> None:
    for number in listed:
        assert isinstance(translate(pymysql.err.OperationalError(number, "something"), "t"), kind), number


def test_a_statement_that_was_cut_short_is_no_answer(maria: MariaDatabase) -> None:
    """A replica that is asked how far it is behind, and killed meanwhile, is not taken for a primary."""
    session = connect(parameters(SourceSpec("mysql", maria.params), context()), Options())
    assert session.named("show nonsense") is None
    killed = f"kill query {session.connection.thread_id()}"
    threading.Timer(0.5, lambda: maria.execute(killed)).start()
    with pytest.raises(pymysql.err.MySQLError):
        session.named(f"select sum(sleep(0.1)) from {numbers(1, 200)}")
    session.close()
