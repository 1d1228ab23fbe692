from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dativo_provider.cli.sql import analyse, answer
from dativo_provider.cli.tables import register
from dativo_provider.errors import ConfigurationError
from dativo_provider.sql.sandbox import connect


class OneReading:
    """Rows that can be streamed once, as a scan can, and remember what was asked of them."""

    def __init__(self, table: pa.Table) -> None:
        self._table, self.asked = table, list[list[str]]()

    def columns(self) -> list[str]:
        return list(self._table.column_names)

    def read(self, columns: Sequence[str]) -> pa.RecordBatchReader:
        self.asked.append(list(columns))
        return self._table.select(columns).to_reader(2)


@pytest.fixture
def orders() -> OneReading:
    return OneReading(pa.table({"id": [1, 2, 3], "Country": ["DE", "FR", "DE"], "amount": [1.5, 2.5, 3.0]}))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(256, 1, str(tmp_path))
    yield connection
    connection.close()


def ask(database: duckdb.DuckDBPyConnection, orders: OneReading, sql: str) -> list[dict[str, Any]]:
    register(database, {"orders": orders}, analyse(database, sql))
    return [row for batch in answer(database, sql) for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("sql", "rows", "columns"),
    [
        ("select count(*) as n from orders", [{"n": 3}], ["id"]),
        ("select sum(amount) as s from orders where country = 'DE'", [{"s": 4.5}], ["Country", "amount"]),
        ("select o.id from orders o order by o.id limit 1", [{"id": 1}], ["id"]),
        ("select count(*) as n from (from orders)", [{"n": 3}], ["id", "Country", "amount"]),
        ("select a.id from orders a join orders b using (id) order by 1", [{"id": 1}, {"id": 2}, {"id": 3}], ["id"]),
        ("select count(*) as n from orders a, orders b", [{"n": 9}], ["id"]),
        ("with x as (select id from orders) select count(*) as n from x, x y", [{"n": 9}], ["id"]),
        ("with orders as (select id from orders) select count(*) as n from Orders", [{"n": 3}], ["id"]),
        ("select 1 as one", [{"one": 1}], None),
    ],
)
def test_only_named_columns_are_read_and_answers_are_right(
    sql: str, rows: list[dict[str, Any]], columns: list[str] | None, database: Any, orders: OneReading
) -> None:
    assert ask(database, orders, sql) == rows
    assert orders.asked == ([columns] if columns else [])


@pytest.mark.parametrize(
    "sql",
    [
        "describe orders",
        "summarize orders",
        "select columns('.*') from orders",
        "select orders from orders",
        "from orders natural join (select 1 as id)",
        "select #1 from orders",
        "select id from orders where exists (select 1 from orders o where o.id = orders.id and o.amount > 2)",
        "select distinct on (country) id from orders",
        "select id, row_number() over (partition by country order by amount) from orders qualify 1 = 1",
        "select {'a': amount} from orders",
        "select list_transform([amount], lambda x: x + id) from orders",
    ],
)
def test_every_way_to_name_a_column_is_seen(sql: str, database: Any, orders: OneReading) -> None:
    assert ask(database, orders, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "copy orders to '/tmp/dativo-stolen.csv'",
        "copy (select 1) to '/tmp/dativo-stolen.csv'",
        "attach '/tmp/x.db'",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "set enable_external_access = true",
        "create table x as select 1",
        "drop table orders",
        "delete from orders",
        "select 1; drop table orders",
        "export database '/tmp/x'",
        "call pragma_version()",
        "",
    ],
)
def test_only_one_select_is_a_query(sql: str, database: Any, orders: OneReading) -> None:
    with pytest.raises(ConfigurationError, match=r"a query is one SELECT|reads the job's tables and nothing else"):
        ask(database, orders, sql)
    assert not Path("/tmp/dativo-stolen.csv").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "from glob('/*')",
        "select * from '/etc/passwd'",
        "select * from read_parquet('https://example.com/x.parquet')",
        "select * from read_blob('/proc/self/environ')",
        "select getenv('HOME')",
        "select * from sniff_csv('/etc/passwd')",
    ],
)
def test_a_query_cannot_leave_the_sandbox(sql: str, database: Any, orders: OneReading) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask(database, orders, sql)
    assert "root:" not in str(caught.value)


def test_python_variables_are_no_tables(database: Any, orders: OneReading) -> None:
    secret = pa.table({"password": ["hunter2"]})  # noqa: F841 - what a replacement scan would find
    with pytest.raises(ConfigurationError, match="there is no table secret"):
        ask(database, orders, "select * from secret")


def test_a_typing_error_is_explained(database: Any, orders: OneReading) -> None:
    with pytest.raises(ConfigurationError, match="syntax error"):
        ask(database, orders, "selct 1")
    with pytest.raises(ConfigurationError, match="amont"):
        ask(database, orders, "select amont from orders")
