"""PostgreSQL → contract with 12 checks → Iceberg, against `psql \\copy … to /dev/null csv` and against dlt.

    .venv/bin/python -m benchmarks.postgres_to_iceberg [--scale 1] [--rounds 3] [--times 10] [--no-peers]

6M rows of TPC-H lineitem; all sides take turns, each in a process of its own, imports included. dlt writes plain
Parquet, without checks and without a commit. Ten times the rows shows whether rate and memory stay.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peers import peer
from benchmarks.postgres_read import psql
from benchmarks.result import Result
from benchmarks.tpch import Tpch, loaded
from tests.services.framework import ROOT
from tests.services.postgres import Database

RUN = """
import json, resource, sys, time
from benchmarks.postgres_to_iceberg import job, context
params, table, home, rules = json.loads(sys.argv[1])
started, cpu = time.monotonic(), time.process_time()
from dativo_provider.pipeline.steps import run
report = run(job(params, table, rules), context(home))
(stream,) = report.streams
if stream.error: raise stream.error
seconds, cpu = time.monotonic() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"rows": stream.books.accepted, "seconds": seconds, "cpu": cpu, "rss": peak,
                  "publish": stream.published.seconds}))
"""
Written = tuple[str, Mapping[str, Any], str]  # language, body, the column it stands under
CHECKS: list[dict[str, Any]] = [
    {"type": "range", "column": "l_quantity", "min": 1, "max": 50},
    {"type": "range", "column": "l_discount", "min": 0, "max": 0.1},
    {"type": "range", "column": "l_tax", "min": 0, "max": 0.08},
    {"type": "range", "column": "l_linenumber", "min": 1, "max": 7},
    {"type": "range", "column": "l_extendedprice", "min": 0.01, "max": 200000},
    {"type": "enum", "column": "l_returnflag", "values": ["A", "N", "R"]},
    {"type": "enum", "column": "l_shipmode", "values": ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]},
    {"type": "length", "column": "l_comment", "min": 1, "max": 44},
    {"type": "range", "column": "l_partkey", "min": 1},
    {"type": "not_null", "column": "l_orderkey"},
    {"type": "row_count", "min": 1},
    {"type": "freshness", "column": "l_receiptdate", "max_age_hours": 1_000_000},
]
UNIQUE = [{"type": "unique", "columns": ["l_orderkey", "l_linenumber"]}]
MONEY = "decimal(15,2)"
COLUMNS = {
    "l_orderkey": "long", "l_partkey": "long", "l_suppkey": "long", "l_linenumber": "int", "l_quantity": MONEY,
    "l_extendedprice": MONEY, "l_discount": MONEY, "l_tax": MONEY, "l_returnflag": "string", "l_linestatus": "string",
    "l_shipdate": "date", "l_commitdate": "date", "l_receiptdate": "date", "l_shipinstruct": "string",
    "l_shipmode": "string", "l_comment": "string",
}  # fmt: skip


def inline(checks: Sequence[Mapping[str, Any]]) -> list[Written]:
    return [("inline", {"name": f"c{at}", **body}, "") for at, body in enumerate(checks)]


def job(params: dict[str, Any], table: str, rules: Sequence[Written]) -> Any:
    from dativo_provider.model.checks import Rule
    from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
    from dativo_provider.model.stream import Field

    made = tuple(Rule(language, body, column, f"benchmark:{at}") for at, (language, body, column) in enumerate(rules))
    fields = tuple(Field(name, kind, required=True) for name, kind in COLUMNS.items())
    contract = ContractSpec("lineitem", version="1.0.0", fields=fields, rules=made)
    stream = StreamSpec("lineitem", table, "lineitem", contract)
    source = SourceSpec("postgres", params)
    return JobSpec("bench", "lineitem", "lineitem", source, TargetSpec(namespace="bench", mode="replace"), (stream,))


def context(home: str) -> Any:
    from dativo_provider.config.settings import settings_from
    from dativo_provider.model.context import RunContext

    return RunContext(settings_from({"home": home}))


def once(database: Database, table: str, home: str, rules: Sequence[Written]) -> dict[str, float]:
    """One run in a process of its own, imports included."""
    arguments = json.dumps([database.params, table, home, rules])
    done = subprocess.run(
        [sys.executable, "-c", RUN, arguments], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout))


def sides(database: Database, home: str, peers: bool) -> dict[str, Callable[[], dict[str, float]]]:
    found: dict[str, Callable[[], dict[str, float]]] = {
        "copy": lambda: {"seconds": psql(database, "lineitem")},
        "ours": lambda: once(database, "lineitem", home, inline(CHECKS)),
        "unchecked": lambda: once(database, "lineitem", home, []),
        "unique": lambda: once(database, "lineitem", home, inline(CHECKS + UNIQUE)),
    }
    if peers:
        for backend in ("connectorx", "pyarrow"):
            found[backend] = lambda backend=backend: peer("dlt", backend, database.url, "lineitem", home)  # type: ignore[misc]
    return found


def compare(server: Tpch, rounds: int, peers: bool) -> list[dict[str, dict[str, float]]]:
    """A measurement of every side in each round, in turning order."""
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
        works = sides(server.database, home, peers)
        works["ours"]()  # makes the store and the caches of the file system
        found = []
        for number in range(rounds):
            names = list(works)[number % len(works) :] + list(works)[: number % len(works)]
            found.append({name: works[name]() for name in names})
            print({name: round(each["seconds"], 2) for name, each in found[-1].items()}, flush=True)
    return found


def record(found: list[dict[str, dict[str, float]]], rows: int) -> None:
    work = f"PostgreSQL {rows / 1e6:.0f}M rows → 12 checks → Iceberg"
    ours = [each["ours"] for each in found]
    detail = {
        "rows per second": round(rows / median(each["seconds"] for each in ours)),
        "CPU seconds": median(each["cpu"] for each in ours),
        "RSS MB": max(each["rss"] for each in ours),
        "publish seconds": median(each["publish"] for each in ours),
    }

    def ratios(name: str) -> list[float]:
        return [each[name]["seconds"] / each["ours"]["seconds"] for each in found]

    def dearer(name: str) -> list[float]:
        return [100 * (each[name]["seconds"] / each["unchecked"]["seconds"] - 1) for each in found]

    Result(
        "01-postgres-copy", work, "rate of `\\copy … to /dev/null csv`", "x", ratios("copy"), 0.70, "more", detail
    ).record()
    for backend, goal in (("connectorx", 2), ("pyarrow", 8)):
        if backend in found[0]:
            theirs = {"RSS MB": max(each[backend]["rss"] for each in found)}
            name = f"02-postgres-dlt-{backend}"
            Result(name, work, f"dlt with {backend} → Parquet", "x", ratios(backend), goal, "more", theirs).record()
    Result("05-checks", "12 row and dataset checks", "the same run without", "%", dearer("ours"), 5, "less").record()
    Result(
        "05-checks-unique", "the same and exact uniqueness of a key", "without checks", "%", dearer("unique")
    ).record()


def record_long(server: Tpch, times: int, short: float, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
        runs = [once(server.database, f"lineitem_{times}x", home, inline(CHECKS)) for _ in range(rounds)]
    work = f"PostgreSQL {runs[0]['rows'] / 1e6:.0f}M rows → 12 checks → Iceberg"
    rates = [run["rows"] / run["seconds"] / short for run in runs]
    Result("03-postgres-long", work, "own rate at 6M rows", "x", rates, 0.9).record()
    Result("03-postgres-long-memory", work, "memory", "MB", [run["rss"] for run in runs], 800, "less").record()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=10, help="also so many times the rows; 0: not")
    parser.add_argument("--no-peers", action="store_true", help="only psql")
    given = parser.parse_args()
    with loaded(given.scale, (1, given.times) if given.times else (1,)) as server:
        found = compare(server, given.rounds, not given.no_peers)
        record(found, server.rows)
        if given.times:
            rate = server.rows / median(each["ours"]["seconds"] for each in found)
            record_long(server, given.times, rate, 1)


if __name__ == "__main__":
    main()
