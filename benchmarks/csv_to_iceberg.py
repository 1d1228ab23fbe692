"""CSV → contract with 8 row checks → Iceberg, against pandas in chunks and DuckDB's COPY to Parquet.

    .venv/bin/python -m benchmarks.csv_to_iceberg [--gigabytes 5] [--rounds 3]

Same file, same types, same compression, each in a process of its own, in turns. pandas goes through lists of
dictionaries, ten thousand rows at a time, and holds each record to the types of its contract, as the product we succeed
does; it runs none of the 8 checks and reads a fiftieth of the file, its imports not counted. DuckDB checks and commits
nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.csv_read import FILES, TYPES, write
from benchmarks.peers import peer
from benchmarks.result import Result
from tests.services.framework import ROOT

MEASURED = """
import json, resource, sys, time
started, cpu = time.monotonic(), time.process_time()
from benchmarks.csv_to_iceberg import {what}
rows = {what}(*sys.argv[1:])
seconds, cpu = time.monotonic() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({{"rows": rows, "seconds": seconds, "cpu": cpu, "rss": peak}}))
"""
CHECKS: list[dict[str, Any]] = [
    {"type": "range", "column": "quantity", "min": 1, "max": 50},
    {"type": "range", "column": "discount", "min": 0, "max": 0.1},
    {"type": "range", "column": "tax", "min": 0, "max": 0.08},
    {"type": "range", "column": "linenumber", "min": 1, "max": 7},
    {"type": "range", "column": "extendedprice", "min": 0.01, "max": 200000},
    {"type": "enum", "column": "returnflag", "values": ["A", "N", "R"]},
    {"type": "enum", "column": "shipmode", "values": ["AIR", "RAIL", "SHIP", "TRUCK", "MAIL"]},
    {"type": "length", "column": "comment", "min": 1, "max": 80},
]


def dativo(path: str, home: str) -> int:
    from dativo_provider.config.settings import settings_from
    from dativo_provider.model.checks import Rule
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
    from dativo_provider.model.stream import Field
    from dativo_provider.pipeline.steps import run

    rules = tuple(Rule("inline", {"name": f"c{at}", **body}) for at, body in enumerate(CHECKS))
    fields = tuple(Field(name, kind, required=True) for name, kind in TYPES.items())
    contract = ContractSpec("lines", version="1.0.0", fields=fields, rules=rules)
    source = SourceSpec("csv", roots=(str(Path(path).parent),))
    stream = StreamSpec("lines", Path(path).name, "lines", contract)
    target = TargetSpec(namespace="bench", mode="replace")
    job = JobSpec("bench", "lines", "lines", source, target, (stream,))
    (report,) = run(job, RunContext(settings_from({"home": home}))).streams
    if report.error:
        raise report.error
    return report.books.accepted


def duckdb(path: str, home: str) -> int:
    import duckdb as engine

    kinds = {"long": "BIGINT", "int": "INTEGER", "string": "VARCHAR", "date": "DATE", "double": "DOUBLE"}
    types = {name: kinds.get(kind, kind) for name, kind in TYPES.items()}
    out = str(Path(home) / "duckdb.parquet").replace("'", "''")
    database = engine.connect(config={"threads": 2, "preserve_insertion_order": "false"})
    database.execute("SET enable_progress_bar = false")
    source = f"read_csv(?, header = true, auto_detect = false, columns = {types})"
    return int(
        database.execute(f"COPY (FROM {source}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)", [path]).fetchall()[0][0]
    )


def measured(what: str, path: Path, home: str) -> dict[str, float]:
    command = [sys.executable, "-c", MEASURED.format(what=what), str(path), home]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(home: str, gigabytes: float, rounds: int) -> None:
    path, part = Path(home) / "lines.csv", Path(home) / "part.csv"
    write(part, 100_000, *FILES["plain"])
    rows = int(gigabytes * 1e9 / part.stat().st_size * 100_000)
    write(path, rows, *FILES["plain"])
    write(part, rows // 50, *FILES["plain"])
    fields = json.dumps(TYPES)
    found = [
        (measured("dativo", path, home), measured("duckdb", path, home), peer("pandas", str(part), home, fields))
        for _ in range(rounds)
    ]
    work = f"CSV {path.stat().st_size / 1e9:.1f} GB → 8 checks → Iceberg"
    rates = [[each["rows"] / each["seconds"] for each in sides] for sides in found]
    detail = {
        "rows per second": round(median(each[0] for each in rates)),
        "CPU seconds": median(sides[0]["cpu"] for sides in found),
        "RSS MB": max(sides[0]["rss"] for sides in found),
        "RSS MB of DuckDB": max(sides[1]["rss"] for sides in found),
    }
    Result(
        "06-csv-pandas", work, "pandas in chunks → Parquet", "x", [a / c for a, _, c in rates], 15, "more", detail
    ).record()
    Result("06-csv-duckdb", work, "DuckDB COPY → Parquet", "x", [a / b for a, b, _ in rates], 0.7).record()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
        compare(home, given.gigabytes, given.rounds)


if __name__ == "__main__":
    main()
