"""The rows for an engine: a view over one Parquet file, in a DuckDB that can reach nothing else."""

from __future__ import annotations

import os
import re
from typing import Any

import duckdb

ROWS = "staged"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def open_rows(request: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """View `staged`, and one by every name in `names`; whatever runs here is the user's own SQL."""
    con = duckdb.connect(config={"memory_limit": f"{request['memory_mb']}MB", "threads": request["threads"]})
    path = request["data"].replace("'", "''")
    con.execute(f"SET temp_directory = '{os.getcwd()}'; SET TimeZone = 'UTC'")
    con.execute(f"SET allowed_paths = ['{path}']; SET enable_external_access = false; SET lock_configuration = true")
    con.execute(f"CREATE VIEW {ROWS} AS SELECT * FROM read_parquet('{path}')")
    for name in request.get("names", ()):
        _alias(con, name)
    return con


def _alias(con: duckdb.DuckDBPyConnection, name: str) -> None:
    *above, last = name.split(".")
    parts = [quoted(each) for each in (*above[-1:], last)]
    if len(parts) == 2:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {parts[0]}")
    con.execute(f"CREATE OR REPLACE VIEW {'.'.join(parts)} AS SELECT * FROM main.{ROWS}")


def views(con: duckdb.DuckDBPyConnection, checks: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Checks by the view that holds the rows they look at (`where`)."""
    names: dict[str, str] = {"": ROWS}
    found: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        where = check.get("where") or ""
        if where not in names:
            names[where] = f"{ROWS}_{len(names)}"
            con.execute(f"CREATE VIEW {names[where]} AS SELECT * FROM {ROWS} WHERE ({where})")
        found.setdefault(names[where], []).append(check)
    return found


_TELLING = ("Binder Error", "Catalog Error", "Parser Error")
_KIND = re.compile(r"\b([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)? Error)\b")


def told(text: str) -> str:
    """An engine's words on what went wrong; where they may quote a value of a row, only its kind."""
    kind = _KIND.search(text)
    if kind and not kind[1].endswith(_TELLING):
        return f"DuckDB: {kind[1]}"
    start = kind.start() if kind else 0
    return " ".join(text[start:].split("\n", 1)[0].split())[:300]
