"""Names of columns in DuckDB's SQL."""

from __future__ import annotations

__all__ = ["quoted"]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
