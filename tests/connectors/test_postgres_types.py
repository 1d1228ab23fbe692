"""Every PostgreSQL value arrives exactly, or as its own text."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dativo_provider.connectors.postgres.copy import _Blocks
from dativo_provider.connectors.postgres.parse import Parser
from dativo_provider.connectors.postgres.types import Column
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Unrepresentable
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.stream import Field
from tests.connectors.postgres_world import Job, reader, table
from tests.services.postgres import Database, Postgres
from tests.support import requirement

Z = "Z"
# SQL type, literal, our type, the value as read
EXACT: list[tuple[str, str, str, Any]] = [
    ("smallint", "-32768", "int", -32768),
    ("integer", "2147483647", "int", 2147483647),
    ("bigint", "-9223372036854775808", "long", -(2**63)),
    ("oid", "4294967295", "long", 4294967295),
    ("real", "'1.1'", "float", pytest.approx(1.1, rel=1e-7)),
    ("double precision", "0.1::float8 + 0.2::float8", "double", 0.1 + 0.2),
    ("double precision", "'-infinity'", "double", -math.inf),
    ("numeric(15,2)", "'-1234567890123.45'", "decimal(15,2)", Decimal("-1234567890123.45")),
    ("numeric(38,10)", "'1e-10'", "decimal(38,10)", Decimal("0.0000000001")),
    ("numeric(40,2)", "'1.50'", "string", "1.50"),
    ("numeric", "'123456789012345678901234567890.123456789'", "string", "123456789012345678901234567890.123456789"),
    ("numeric", "'NaN'", "string", "NaN"),
    ("money", "'12.34'", "string", "$12.34"),
    ("boolean", "true", "boolean", True),
    ("boolean", "false", "boolean", False),
    ("text", "''", "string", ""),
    ("text", r"E'two\nlines, \"quoted\" \\ and \t tab'", "string", 'two\nlines, "quoted" \\ and \t tab'),
    ("varchar(10)", "'\\N'", "string", "\\N"),
    ("char(3)", "'a'", "string", "a  "),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", '\'{"a":  1}\'', "string", '{"a":  1}'),
    ("jsonb", '\'{"a":  1}\'', "string", '{"a": 1}'),
    ("date", "'0001-01-01'", "date", date(1, 1, 1)),
    ("time", "'23:59:59.999999'", "time", time(23, 59, 59, 999999)),
    ("timetz", "'12:00+05:30'", "string", "12:00:00+05:30"),
    ("timestamp", "'9999-12-31 23:59:59.999999'", "timestamp", datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("timestamptz", "'2026-03-29 02:30+02'", "timestamptz", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
    ("interval", "'1 year 2 days 3.5 s'", "string", "P1Y2DT3.5S"),
    ("bytea", r"'\x00ff10'", "binary", b"\x00\xff\x10"),
    ("bytea", "''", "binary", b""),
    ("inet", "'10.0.0.1/8'", "string", "10.0.0.1/8"),
    ("cidr", "'10.0.0.0/8'", "string", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "string", "08:00:2b:01:02:03"),
    ("int4range", "'[1,5)'", "string", "[1,5)"),
    ("tsrange", "'[2026-01-01,2026-01-02)'", "string", '["2026-01-01 00:00:00","2026-01-02 00:00:00")'),
    ("bit(3)", "B'101'", "string", "101"),
    ("point", "'(1,2)'", "string", "(1,2)"),
    ("xml", "'<a/>'", "string", "<a/>"),
    ("mood", "'very sad'", "string", "very sad"),
    ("cents", "5", "int", 5),
    ("price", "'1.25'", "decimal(10,2)", Decimal("1.25")),
    ("pair", "row(1,'a,b')", "string", '(1,"a,b")'),
    ("int[]", "'{1,NULL,3}'", "list<int>", [1, None, 3]),
    ("int[]", "'{}'", "list<int>", []),
    ("bigint[]", "'{9007199254740993}'", "list<long>", [9007199254740993]),
    ("text[]", r"""array['a,b', '"q"', '', null, 'NULL', E'l1\nl2', '\']""", "list<string>",
     ["a,b", '"q"', "", None, "NULL", "l1\nl2", "\\"]),
    ("numeric(10,3)[]", "'{1.500,-0.001}'", "list<decimal(10,3)>", [Decimal("1.500"), Decimal("-0.001")]),
    ("numeric[]", "'{1.5,1e30}'", "list<string>", ["1.5", "1" + "0" * 30]),
    ("boolean[]", "'{t,f,NULL}'", "list<boolean>", [True, False, None]),
    ("double precision[]", "'{0.1,NaN}'", "list<double>", [0.1, pytest.approx(math.nan, nan_ok=True)]),
    ("timestamptz[]", "array['2026-01-01 00:00:00.5+01'::timestamptz]", "list<timestamptz>",
     [datetime(2025, 12, 31, 23, 0, 0, 500000, tzinfo=UTC)]),
    ("date[]", "'{2026-01-31}'", "list<date>", [date(2026, 1, 31)]),
    ("uuid[]", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", "list<uuid>", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("bytea[]", r"array['\xdead'::bytea, null, ''::bytea]", "list<binary>", [b"\xde\xad", None, b""]),
    ("mood[]", "array['very sad'::mood]", "list<string>", ["very sad"]),
    ("int[][]", "'{{1,2},{3,4}}'", "string", "{{1,2},{3,4}}"),
    ("cents[]", "'{1,2}'", "list<int>", [1, 2]),
]  # fmt: skip
TYPES = [
    "create type mood as enum ('ok', 'very sad')",
    "create domain cents as int check (value >= 0)",
    "create domain price as numeric(10,2)",
    "create type pair as (a int, b text)",
]


@pytest.fixture
def typed(database: Database) -> Database:
    columns = ", ".join(f"c{index} {kind}" for index, (kind, *_) in enumerate(EXACT))
    values = ", ".join(value for _, value, *_ in EXACT)
    database.execute(*TYPES, f"create table t (id int primary key, {columns})")
    database.execute(f"insert into t values (1, {values})", "insert into t (id) values (2)")
    return database


@requirement("REG-09", "REG-10")
def test_every_type_arrives_exactly_and_null_stays_null(typed: Database) -> None:
    job = Job(typed, table("t"))
    described = job.describe()
    rows = job.read(job.plan(full=True)).to_pylist()
    by_id = {row["id"]: row for row in rows}
    for index, (kind, value, ours, expected) in enumerate(EXACT):
        name = f"c{index}"
        assert described.fields[index + 1].type == ours, kind
        assert by_id[1][name] == expected, f"{kind} {value}"
        assert by_id[2][name] is None, kind


def test_the_arrow_types_are_those_of_the_description(typed: Database) -> None:
    from dativo_provider.model.types import to_arrow

    job = Job(typed, table("t"))
    schema = job.read(job.plan(full=True)).schema
    assert [field.type for field in schema] == [to_arrow(field.type) for field in job.describe().fields]


def test_output_does_not_depend_on_the_settings_of_the_role(database: Database) -> None:
    database.execute(
        "create table t (a timestamptz, b date, c bytea, d interval, e float8)",
        r"insert into t values ('2026-07-01 12:00+00', '2026-02-03', '\x00', '1 day', 0.1::float8 + 0.2::float8)",
        f"alter database {database.name} set datestyle = 'German'",
        f"alter database {database.name} set timezone = 'Asia/Tokyo'",
        f"alter database {database.name} set bytea_output = 'escape'",
        f"alter database {database.name} set intervalstyle = 'postgres_verbose'",
        f"alter database {database.name} set extra_float_digits = 0",
        f"alter database {database.name} set standard_conforming_strings = off",
    )
    job = Job(database, table("t"))
    assert job.run(full=True) == [
        {
            "a": datetime(2026, 7, 1, 12, tzinfo=UTC),
            "b": date(2026, 2, 3),
            "c": b"\x00",
            "d": "P1D",
            "e": 0.1 + 0.2,
        }
    ]


ODD = [
    ("date", "infinity", "infinity"),
    ("date", "0044-03-15 BC", "0044-03-15 BC"),
    ("timestamptz", "-infinity", "-infinity"),
    ("timestamp", "10000-01-01", "10000-01-01 00:00:00"),
    ("time", "24:00", "24:00:00"),
    ("numeric(10,2)", "NaN", "NaN"),
    ("int[]", "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
    ("date[]", "{infinity}", '["infinity"]'),
]


@pytest.mark.parametrize(("kind", "value", "text"), ODD)
def test_what_a_type_cannot_hold_is_never_another_value(database: Database, kind: str, value: str, text: str) -> None:
    good = {"int[]": "{7}", "numeric(10,2)": "1.50", "time": "01:00", "date[]": "{2026-01-01}"}.get(kind, "2026-01-01")
    database.execute(f"create table t (id int, v {kind})", f"insert into t values (1, '{good}'), (2, '{value}')")
    job = Job(database, table("t"))
    (piece,) = job.slices(job.plan(full=True))
    with reader(job.source) as opened, pytest.raises(Unrepresentable) as lost:
        list(opened.read(job.stream, piece))
    assert lost.value.columns == ("v",)
    assert value not in str(lost.value)
    batches = job.batches(piece)
    assert batches[0].data.schema.field("v").type == pa.string()
    rows = {row["id"]: row["v"] for batch in batches for row in batch.data.to_pylist()}
    assert rows[2] == text
    assert rows[1] is not None


def test_as_text_the_caster_still_reads_the_good_rows(database: Database) -> None:
    from dativo_provider.transform.cast import Caster

    database.execute(
        "create table t (id int, d date, n numeric(10,2), l numeric(10,3)[], at timestamptz)",
        "insert into t values (1, '2026-01-01', 1.50, '{1.500,2.250}', '2026-01-01 12:00+02'), "
        "(2, 'infinity', 'NaN', '{{1},{2}}', 'infinity')",
    )
    job = Job(database, table("t"))
    (piece,) = job.slices(job.plan(full=True))
    cast = Caster(job.describe().fields).cast(job.batches(piece)[0].data)
    assert cast.data.to_pylist()[0] == {
        "id": 1,
        "d": date(2026, 1, 1),
        "n": Decimal("1.50"),
        "l": [Decimal("1.500"), Decimal("2.250")],
        "at": datetime(2026, 1, 1, 10, tzinfo=UTC),
    }
    assert {name: mask.to_pylist() for name, mask in cast.failures.items()} == {
        name: [False, True] for name in ("d", "n", "l", "at")
    }


def test_a_contract_gives_an_unbounded_numeric_its_scale(database: Database) -> None:
    database.execute("create table t (v numeric)", "insert into t values (1.25)")
    contract = ContractSpec("t", fields=(Field("v", "decimal(38,9)"),))
    assert Job(database, table("t", contract=contract)).run(full=True) == [{"v": Decimal("1.25")}]
    database.execute("insert into t values (0.0000000001)")  # one digit more than the contract has
    job = Job(database, table("t", contract=contract))
    assert {row["v"] for row in job.run(full=True)} == {"1.25", "0.0000000001"}


def test_a_single_column_of_null_and_empty_text_keeps_both(database: Database) -> None:
    database.execute("create table t (v text)", "insert into t values (null), (''), (null), ('x')")
    values = [row["v"] for row in Job(database, table("t")).run(full=True)]
    assert sorted(values, key=repr) == ["", "x", None, None]


def test_text_in_no_known_encoding_is_refused_and_can_be_decoded_by_the_job(postgres: Postgres) -> None:
    admin, name = postgres.at("postgres"), "dativo_ascii"
    admin.execute(f"create database {name} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0")
    try:
        database = postgres.at(name)
        database.execute("create table t (v text)", r"insert into t values (E'caf\xe9')")
        with pytest.raises(DataError, match="character not in repertoire") as caught:
            Job(database, table("t")).run(full=True)
        assert "convert_from" in caught.value.remedy
        stream = table("t", query="select convert_from(convert(v::bytea, 'LATIN1', 'UTF8'), 'SQL_ASCII') as v from t")
        assert Job(database, stream).run(full=True) == [{"v": "café"}]
    finally:
        admin.execute(f"drop database {name} with (force)")


def test_bytes_that_are_not_utf8_are_named_by_their_column() -> None:
    parser = Parser([Column("id", "int", "int4"), Column("v", "string", "text")], (), "public.t")
    with pytest.raises(DataError, match=r"column 'v' of public.t holds bytes that are not UTF-8"):
        parser.batch(pa.py_buffer(b"1,caf\xe9\n"))


def test_no_memory_of_python_is_left_to_threads_that_outlive_the_parse() -> None:
    """One that lets go of it while the interpreter ends aborts the process."""
    text, gathered = bytearray(b'1,"a\nbc"\n'), _Blocks()
    with memoryview(text) as written:
        gathered.write(written)
    text.clear()  # a BufferError while anybody holds it
    (block,) = islice(gathered, 1)
    parser = Parser([Column("id", "int", "int4"), Column("v", "string", "text")], (), "public.t")
    assert parser.batch(block).to_pylist() == [{"id": 1, "v": "a\nbc"}]


TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


@pytest.fixture(scope="module")
def box(postgres: Postgres) -> Any:
    with postgres.database() as database:
        database.execute("create table t (id int, v text, l text[], b bytea, j jsonb)")
        yield database


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(st.none() | TEXT, st.none() | st.lists(st.none() | TEXT, max_size=3), st.none() | st.binary()),
        max_size=5,
    )
)
def test_text_lists_and_bytes_round_trip(box: Database, rows: list[tuple[Any, ...]]) -> None:
    connection = box.connect()
    with connection.cursor() as cursor:
        cursor.execute("truncate t")
        for number, (text, items, data) in enumerate(rows):
            cursor.execute(
                "insert into t values (%s, %s, %s::text[], %s, %s)", (number, text, items, data, json.dumps({}))
            )
    connection.close()
    read = Job(box, table("t")).run(full=True)
    assert [(row["v"], row["l"], row["b"]) for row in sorted(read, key=lambda row: row["id"])] == rows
