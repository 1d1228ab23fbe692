"""One read-only statement, and what it reads: so that only the tables and columns it names are handed over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Reading", "analyse", "answer"]


@dataclass(frozen=True)
class Reading:
    """`tables` counts how often each name (in lower case) is read, `ctes` are those that the statement itself
    defines. `columns` are all names mentioned; None: every column."""

    tables: Mapping[str, int]
    ctes: frozenset[str]
    columns: frozenset[str] | None

    def wanted(self, names: list[str]) -> list[str]:
        """Of a table's columns `names` those the statement may touch; at least one, to count rows by."""
        if self.columns is None:
            return names
        return [name for name in names if name.lower() in self.columns] or names[:1]


def analyse(connection: duckdb.DuckDBPyConnection, sql: str) -> Reading:
    """Raises `ConfigurationError` for anything but one SELECT."""
    with explained(sql):
        kinds = [str(statement.type).rpartition(".")[2] for statement in connection.extract_statements(sql)]
    if kinds != ["SELECT"]:
        raise ConfigurationError(
            f"a query is one SELECT; this is {', '.join(kinds) or 'empty'}",
            remedy="tables are changed by jobs, never by queries",
        )
    [(tree,)] = connection.execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()
    nodes = list(_walk(json.loads(tree)))
    ctes = frozenset(entry["key"].lower() for node in nodes for entry in (node.get("cte_map") or {}).get("map", ()))
    return Reading(_tables(nodes, shared=bool(ctes)), ctes, _columns(nodes))


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk(child)


def _tables(nodes: list[dict[str, Any]], *, shared: bool) -> Mapping[str, int]:
    """Beside a WITH everything counts twice: DuckDB may read a CTE once per use."""
    named = Counter(node["table_name"].lower() for node in nodes if node.get("type") == "BASE_TABLE")
    return {name: count * (2 if shared else 1) for name, count in named.items()}


def _columns(nodes: list[dict[str, Any]]) -> frozenset[str] | None:
    kinds = {node.get("type") for node in nodes} | {node.get("class") for node in nodes}
    if kinds & {"STAR", "SHOW_REF", "PIVOT", "POSITIONAL_REFERENCE"} or "NATURAL" in json.dumps(nodes[:1]):
        return None
    names = {part.lower() for node in nodes for part in node.get("column_names", ())}
    names |= {name.lower() for node in nodes for name in node.get("using_columns", ())}
    return frozenset(names)


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.RecordBatchReader:
    """Rows as they are computed."""
    with explained(sql):
        relation = connection.sql(sql)
        read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader  # DuckDB 2 or 1
        return read(10_000)


@contextmanager
def explained(sql: str) -> Iterator[None]:
    """DuckDB's errors in our words."""
    import duckdb

    try:
        yield
    except duckdb.PermissionException:
        raise ConfigurationError(
            "a query reads the job's tables and nothing else: no files, no network, no settings", where=sql
        ) from None
    except duckdb.Error as error:
        raise ConfigurationError(f"the query cannot be run: {error}") from None
