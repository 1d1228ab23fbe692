"""DuckDB for expressions and queries that tenants wrote: no files, no network, no extensions, no way to change that.

Rows come in as Arrow (`register`) and go out as Arrow. https://duckdb.org/docs/stable/operations_manual/securing_duckdb
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_reader", "connect"]

# In this order: extensions before files, and the lock last. Python variables of the calling frames must not be tables,
# and answers must not depend on the machine's zone.
_CLOSE = (
    "SET autoinstall_known_extensions=false",
    "SET autoload_known_extensions=false",
    "SET allow_community_extensions=false",
    "SET python_enable_replacements=false",
    "SET TimeZone='UTC'",
    "SET enable_external_access=false",
    "SET lock_configuration=true",
)


def connect(memory_limit_mb: int = 512, threads: int = 2, temp_dir: str = "") -> duckdb.DuckDBPyConnection:
    """An in-memory database that sees only what is registered. Spills to `temp_dir`; without one it never spills."""
    if temp_dir:
        os.makedirs(temp_dir, exist_ok=True)
    limits = {"memory_limit": f"{memory_limit_mb}MB", "threads": str(threads), "temp_directory": temp_dir}
    # settled before the doors close: DuckDB refuses a temporary folder once files are out of reach
    connection = duckdb.connect(":memory:", config=limits)
    for statement in _CLOSE:
        connection.execute(statement)
    return connection


def arrow_reader(result: duckdb.DuckDBPyRelation, rows: int) -> pa.RecordBatchReader:
    """The result as a stream of batches of about `rows`; DuckDB 1 has another name for it than 2."""
    return (getattr(result, "to_arrow_reader", None) or result.fetch_arrow_reader)(rows)
