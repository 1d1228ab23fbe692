"""Names and values in DuckDB's SQL."""

from __future__ import annotations

from typing import Any

__all__ = ["literal", "quoted"]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A JSON value as SQL. A text takes the type of what it is compared with."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"'{value!r}'::DOUBLE"
    return "'" + str(value).replace("'", "''") + "'"
