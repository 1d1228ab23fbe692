"""Questions in the SQL that every engine understands, and who answers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa

from tests.lake.readback.tables import START
from tests.services.engine import Engine
from tests.services.engine_loop import plain

Answers = dict[tuple[str, str, str], list[list[Any]]]  # by engine, table, question

LOOKED_FOR = f"{START + timedelta(hours=5 * 137):%Y-%m-%d %H:%M:%S}"
EDGES = "min(moment), max(moment)"
JANUARY = "moment >= timestamp '1970-01-01' and moment < timestamp '1970-02-01'"
QUESTIONS = {
    "totals": f"select count(*), count(distinct id), sum(id), sum(amount), count(value), {EDGES} from {{}}",
    "by value": f"select value, count(*), sum(amount), {EDGES} from {{}} group by 1 order by 1 nulls first",
    "looked up": f"select count(*), sum(id) from {{}} where id = 137 and moment = timestamp '{LOOKED_FOR}'",
    "of a name": "select count(*), sum(id) from {} where value = 'name-4' and amount > 100",
    "in a month": f"select count(*), sum(id) from {{}} where {JANUARY}",
}
EARLY = {"before 1970": f"select count(*), sum(id) from {{}} where moment = timestamp '{START:%Y-%m-%d %H:%M:%S}'"}
EVOLVED = {"evolved": "select count(note), max(small), sum(small), max(amount) from {}"}
CURRENT = {"current": "select count(*), sum(id), sum(amount) from {} where is_current and valid_to is null"}
VERSIONS = {"current": "select count(*), sum(id), sum(amount) from {}"}


def ours(table: pa.Table, questions: Mapping[str, str]) -> dict[str, list[list[Any]]]:
    """Answered over rows that are in memory, by the DuckDB we run on."""
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.register("asked", table)
        return {
            name: [plain(row) for row in database.execute(text.format("asked")).fetchall()]
            for name, text in questions.items()
        }


def theirs(
    engine: Engine, tables: Mapping[str, str], questions: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, str], Any]:
    """`tables`: where the metadata of each is; `questions` of each table. By table and question."""
    asked = [(table, name, text.format(table)) for table, each in questions.items() for name, text in each.items()]
    rows = engine.query(tables, [text for *_, text in asked])
    return {(table, name): found for (table, name, _), found in zip(asked, rows, strict=True)}


def partitions(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Values, rows and files of each partition, in an order."""
    return sorted((plain(row) for row in rows), key=repr)


def partitions_of(table: Any) -> list[list[Any]]:
    """As PyIceberg knows them."""
    found = table.inspect.partitions().to_pylist()
    return partitions([[list(row["partition"].values()), row["record_count"], row["file_count"]] for row in found])
