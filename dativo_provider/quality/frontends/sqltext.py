"""Pieces of the SQL (DuckDB's) that front ends write for conditions and queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dativo_provider.sql.names import quoted

__all__ = ["all_of", "any_of", "literal", "literals", "over_rows", "text"]

_PLACES = ("${object}", "${table}", "{object}", "{table}", "{batch}", "{{ dataset }}", "{{dataset}}")


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def literal(value: Any) -> str:
    """Raises `ValueError` for what is no single value."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP {text(value.isoformat(sep=' '))}" if value.tzinfo is None else f"TIMESTAMPTZ '{value}'"
    if isinstance(value, date):
        return f"DATE '{value}'"
    if isinstance(value, str):
        return text(value)
    raise ValueError(value)


def literals(values: Iterable[Any]) -> str:
    return ", ".join(literal(value) for value in values)


def all_of(conditions: Iterable[str]) -> str:
    return _joined(conditions, " AND ")


def any_of(conditions: Iterable[str]) -> str:
    return _joined(conditions, " OR ")


def _joined(conditions: Iterable[str], word: str) -> str:
    given = [condition for condition in conditions if condition]
    return given[0] if len(given) == 1 else word.join(f"({condition})" for condition in given)


def over_rows(query: str, column: str = "") -> str:
    """A query whose placeholders of every language are `{object}`; those of a column become its name."""
    for place in _PLACES:
        query = query.replace(place, "{object}")
    if column:
        for place in ("${property}", "${column}", "{property}", "{column}"):
            query = query.replace(place, quoted(column))
    return query.strip().rstrip(";")
