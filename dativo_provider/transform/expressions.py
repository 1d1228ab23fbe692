"""What a tenant's SQL expression may be: one expression over the row's columns, nothing else.

DuckDB parses it and the syntax tree decides: no statement, no sub-query, no star, no parameter. What it could call
is shut by the sandbox.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import duckdb

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import TransformSpec
from dativo_provider.sql.syntax import is_aggregate, nodes, parsed

__all__ = ["check_expression", "is_windowed", "lookup_columns", "refuse", "with_json_access"]

_REFUSED = {
    "SUBQUERY": "it holds a sub-query; an expression sees the columns of its own row only",
    "STAR": "it holds a star; name the columns",
    "PARAMETER": "it holds a parameter",
}


def is_windowed(expression: str) -> bool:
    """Whether it looks at other rows: an OVER clause or an aggregate. Text that is no SQL is not windowed."""
    try:
        return any(_looks_around(node) for node in nodes(parsed(expression)))
    except ConfigurationError:
        return False


def _looks_around(node: dict[str, Any]) -> bool:
    return node.get("class") == "WINDOW" or is_aggregate(node)


def check_expression(transform: TransformSpec) -> None:
    """Raises `ConfigurationError` unless it is one expression of the allowed kind."""
    try:
        tree = parsed(transform.expression)
    except ConfigurationError as error:
        refuse(transform, error.message)
    for node in nodes(tree):
        if why := _REFUSED.get(str(node.get("class"))):
            refuse(transform, why)
        if is_aggregate(node):
            name = node["function_name"]
            refuse(transform, f"{name}(…) would fold all rows into one", f"write {name}(…) OVER (…) to keep every row")


def lookup_columns(transform: TransformSpec, lookups: Iterable[str]) -> dict[str, list[str]]:
    """The columns it reads of each lookup (`customers.country`), as written, in order. Raises `ConfigurationError`."""
    known = {name.casefold(): name for name in lookups}
    found: dict[str, list[str]] = {}
    for node in nodes(parsed(transform.expression)) if known else ():
        parts = node.get("column_names") if node.get("class") == "COLUMN_REF" else None
        name = known.get(parts[0].casefold()) if parts else None
        if parts and name:
            if len(parts) == 1:
                refuse(transform, f"'{name}' is a lookup, not a value", f"name one of its columns: {name}.<column>")
            if parts[1] not in found.setdefault(name, []):
                found[name].append(parts[1])
    return found


def refuse(transform: TransformSpec, problem: str, remedy: str = "") -> NoReturn:
    raise ConfigurationError(
        f"transformation '{transform.name}': {problem}",
        where=transform.declared_in,
        remedy=remedy or f"correct the expression: {transform.expression}",
    )


def explain(transform: TransformSpec, error: duckdb.Error, columns: Iterable[str]) -> NoReturn:
    """DuckDB's complaint about an expression, with the column that was probably meant."""
    message = str(error).partition("\n")[0]
    if unknown := re.search(r'Referenced column "([^"]+)" not found', message):
        names = list(columns)
        near = difflib.get_close_matches(unknown[1], names, n=1)
        problem = f"there is no column '{unknown[1]}' (has: {', '.join(names)})"
        refuse(transform, problem, f"did you mean '{near[0]}'?" if near else "")
    refuse(transform, message)


def with_json_access(expression: str, is_json: Callable[[str], bool]) -> str:
    """`tags['Team']` on a column of JSON text becomes the member's text; on maps and structs DuckDB knows it."""
    tokens = _tokens(expression)
    made, at, copied = [], 0, 0
    while at < len(tokens):
        path, after = _path(tokens, at + 1)
        start, word = tokens[at]
        after_dot = at > 0 and tokens[at - 1][1] == "."
        if path and not after_dot and is_json(_identifier(word)):
            pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path).replace("'", "''")
            made.append(f"{expression[copied:start]}json_extract_string({word}, '{pointer}')")
            last_start, last_word = tokens[after - 1]
            copied, at = last_start + len(last_word), after
        else:
            at += 1
    return "".join(made) + expression[copied:]


def _tokens(expression: str) -> list[tuple[int, str]]:
    encoded = expression.encode()
    starts = [start for start, _ in duckdb.tokenize(expression)]
    ends = [*starts[1:], len(encoded)]
    return [
        (len(encoded[:start].decode()), encoded[start:end].decode().rstrip())
        for start, end in zip(starts, ends, strict=True)
    ]


def _path(tokens: list[tuple[int, str]], at: int) -> tuple[list[str], int]:
    """The members that `['a']['b']` from token `at` on names, and the token after them."""
    path: list[str] = []
    while at + 2 < len(tokens) and tokens[at][1] == "[" and tokens[at + 2][1] == "]" and tokens[at + 1][1][:1] == "'":
        path.append(tokens[at + 1][1][1:-1].replace("''", "'"))
        at += 3
    return path, at


def _identifier(word: str) -> str:
    return word[1:-1].replace('""', '"') if word[:1] == '"' else word
