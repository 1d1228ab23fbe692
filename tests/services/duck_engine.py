"""DuckDB's process, with its Iceberg extension from a wheel: nothing is downloaded while it runs."""

from functools import cache
from pathlib import Path

import duckdb
from engine_loop import serve

EXTENSIONS = ("avro", "httpfs", "iceberg")  # iceberg would fetch avro by itself, were it not there already


@cache
def started():
    database = duckdb.connect()
    packages = Path(duckdb.__file__).parents[1]
    for name in EXTENSIONS:
        [path] = packages.glob(f"duckdb_extension_{name}/extensions/*/{name}.duckdb_extension")
        database.execute(f"LOAD '{path}'")
    database.execute("SET TimeZone = 'UTC'")
    return database


def answer(job):
    database = started()
    for name, location in job["tables"].items():
        database.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM iceberg_scan('{location}')")
    for text in job["statements"]:
        yield database.execute(text).fetchall()


serve(answer)
