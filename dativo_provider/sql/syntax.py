"""The syntax trees of SQL that tenants wrote, as DuckDB's own parser sees it. Nothing of it runs here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

from dativo_provider.errors import ConfigurationError
from dativo_provider.sql.sandbox import connect

__all__ = ["columns_read", "is_aggregate", "named_columns", "nodes", "parsed", "parsed_condition", "parsed_query"]

_NO_COLUMNS = frozenset("current_date current_time current_timestamp localtime localtimestamp".split())
_EMPTY_PARTS = ("modifiers", "where_clause", "group_expressions", "having", "qualify", "sample")


def parsed(expression: str) -> dict[str, Any]:
    """The syntax tree of one expression alone. Raises `ConfigurationError`."""
    if not isinstance(expression, str) or not expression.strip():
        raise ConfigurationError("the expression is empty")
    found = _serialized(f"SELECT (\n{expression}\n)")
    if found.get("error"):
        raise ConfigurationError(f"this is no SQL expression: {_said(found, expression)}")
    statements = found.get("statements", [])
    if len(statements) != 1 or not _is_bare(statements[0]["node"]):
        raise ConfigurationError("not one expression but more of a query; only a single expression is allowed here")
    tree: dict[str, Any] = statements[0]["node"]["select_list"][0]
    return tree


def parsed_condition(expression: str) -> dict[str, Any]:
    """The same, of an expression over the columns of its own row. Raises `ConfigurationError`."""
    tree = parsed(expression)
    for node in nodes(tree):
        if node.get("class") in ("SUBQUERY", "WINDOW", "PARAMETER", "STAR") or is_aggregate(node):
            raise ConfigurationError("it looks at more than the columns of its own row")
    return tree


def parsed_query(query: str) -> dict[str, Any]:
    """The syntax tree of one query that only reads. Raises `ConfigurationError`."""
    if not isinstance(query, str) or not query.strip():
        raise ConfigurationError("the query is empty")
    found = _serialized(query)
    if found.get("error"):
        said = str(found.get("error_message"))
        only = "only SELECT statements can be serialized" in said.replace("Only", "only")
        raise ConfigurationError("it is no SELECT" if only else f"this is no SQL query: {said}")
    if len(found.get("statements", [])) != 1:
        raise ConfigurationError("it is more than one statement; write one SELECT")
    tree: dict[str, Any] = found["statements"][0]["node"]
    return tree


def named_columns(tree: Any) -> set[str] | None:
    """Last parts of all names in the tree, lowercase; None where a star or a name of a whole row asks for all."""
    found: set[str] = set()
    for node in nodes(tree):
        if node.get("class") == "STAR":
            return None
        if node.get("class") == "COLUMN_REF":
            found |= {str(part).casefold() for part in node["column_names"]}
        found |= {str(name).casefold() for name in node.get("using_columns") or ()}
    return found


def columns_read(condition: str) -> list[str]:
    """The columns a condition on a row names, as it spells them: of `a.b` it is a. Raises `ConfigurationError`."""
    tree = parsed_condition(condition)
    own = {str(name) for node in nodes(tree) if node.get("class") == "LAMBDA" for name in _parameters(node)}
    named = [node["column_names"][0] for node in nodes(tree) if node.get("class") == "COLUMN_REF"]
    return [name for name in dict.fromkeys(named) if name not in own and name.casefold() not in _NO_COLUMNS]


def _parameters(node: dict[str, Any]) -> Iterator[str]:
    """The names that a lambda gives to what it is called with."""
    for each in nodes(node.get("lhs")):
        if each.get("class") == "COLUMN_REF":
            yield each["column_names"][0]


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for part in tree.values():
            yield from nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from nodes(part)


def is_aggregate(node: dict[str, Any]) -> bool:
    return node.get("class") == "FUNCTION" and str(node.get("function_name")).lower() in _aggregates()


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return connect(64, 1)


@cache
def _aggregates() -> frozenset[str]:
    query = "SELECT function_type, lower(function_name) FROM duckdb_functions() WHERE schema_name = 'main'"
    kinds: dict[str, set[str]] = {}
    for kind, name in _parser().cursor().execute(query).fetchall():
        kinds.setdefault(kind, set()).add(name)
    return frozenset(kinds["aggregate"] - kinds["scalar"])


def _serialized(sql: str) -> dict[str, Any]:
    found = _parser().cursor().execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    tree: dict[str, Any] = json.loads(found[0][0])
    return tree


def _said(found: dict[str, Any], expression: str) -> str:
    """The parser's message; the closing bracket it may complain of is ours."""
    said = str(found.get("error_message"))
    return "it ends too early" if said.endswith('near ")"') and ")" not in expression else said


def _is_bare(node: dict[str, Any]) -> bool:
    return (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and not node["select_list"][0].get("alias")
        and node["from_table"]["type"] == "EMPTY"
        and not node["cte_map"]["map"]
        and not any(node.get(part) for part in _EMPTY_PARTS)
    )
