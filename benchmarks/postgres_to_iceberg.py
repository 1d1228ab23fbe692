"""PostgreSQL → contract with 8 row checks → Iceberg, against `psql \\copy … to /dev/null csv` in the same minutes.

    .venv/bin/python -m benchmarks.postgres_to_iceberg [--scale 1] [--rounds 3]

Goals: at least 0.55 of psql's rate on 6M rows of TPC-H lineitem, under 1 GB RSS, the same RSS at 3x the rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any

from benchmarks.postgres_read import psql
from benchmarks.tpch import Tpch, loaded
from tests.services.framework import ROOT
from tests.services.postgres import Database

RUN = """
import json, resource, sys, time
from benchmarks.postgres_to_iceberg import job, context
params, table, home = json.loads(sys.argv[1])
started, cpu = time.monotonic(), time.process_time()
from dativo_provider.pipeline.steps import run
report = run(job(params, table), context(home))
(stream,) = report.streams
if stream.error: raise stream.error
seconds, cpu = time.monotonic() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"rows": stream.books.accepted, "seconds": seconds, "cpu": cpu, "rss": peak,
                  "publish": stream.published.seconds}))
"""
CHECKS: list[dict[str, Any]] = [
    {"type": "range", "column": "l_quantity", "min": 1, "max": 50},
    {"type": "range", "column": "l_discount", "min": 0, "max": 0.1},
    {"type": "range", "column": "l_tax", "min": 0, "max": 0.08},
    {"type": "range", "column": "l_linenumber", "min": 1, "max": 7},
    {"type": "range", "column": "l_extendedprice", "min": 0.01, "max": 200000},
    {"type": "enum", "column": "l_returnflag", "values": ["A", "N", "R"]},
    {"type": "enum", "column": "l_shipmode", "values": ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]},
    {"type": "length", "column": "l_comment", "min": 1, "max": 44},
]
MONEY = "decimal(15,2)"
COLUMNS = {
    "l_orderkey": "long", "l_partkey": "long", "l_suppkey": "long", "l_linenumber": "int", "l_quantity": MONEY,
    "l_extendedprice": MONEY, "l_discount": MONEY, "l_tax": MONEY, "l_returnflag": "string", "l_linestatus": "string",
    "l_shipdate": "date", "l_commitdate": "date", "l_receiptdate": "date", "l_shipinstruct": "string",
    "l_shipmode": "string", "l_comment": "string",
}  # fmt: skip


def job(params: dict[str, Any], table: str) -> Any:
    from dativo_provider.model.checks import Rule
    from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
    from dativo_provider.model.stream import Field

    rules = tuple(Rule("inline", {"name": f"c{at}", **body}) for at, body in enumerate(CHECKS))
    fields = tuple(Field(name, kind, required=True) for name, kind in COLUMNS.items())
    contract = ContractSpec("lineitem", version="1.0.0", fields=fields, rules=rules)
    stream = StreamSpec("lineitem", table, "lineitem", contract)
    source = SourceSpec("postgres", params)
    return JobSpec("bench", "lineitem", "lineitem", source, TargetSpec(namespace="bench", mode="replace"), (stream,))


def context(home: str) -> Any:
    from dativo_provider.config.settings import settings_from
    from dativo_provider.model.context import RunContext

    return RunContext(settings_from({"home": home}))


def once(database: Database, table: str, home: str) -> dict[str, float]:
    """One run in a process of its own, imports included."""
    arguments = json.dumps([database.params, table, home])
    done = subprocess.run(
        [sys.executable, "-c", RUN, arguments], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout))


def compare(server: Tpch, rounds: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
        copies, runs = [], []
        for _ in range(rounds):
            copies.append(psql(server.database, "lineitem"))
            runs.append(once(server.database, "lineitem", home))
        triple = once(server.database, "lineitem_3x", home)
    copy, ours, rss = median(copies), median(run["seconds"] for run in runs), max(run["rss"] for run in runs)
    print(f"psql \\copy csv  {copy:6.2f} s  {server.rows / copy:12,.0f} rows/s")
    print(
        f"dativo run      {ours:6.2f} s  {server.rows / ours:12,.0f} rows/s  CPU {runs[-1]['cpu']:.2f} s  RSS {rss} MB"
    )
    print(f"ratio           {copy / ours:6.2f}    (goal 0.55)   publish {median(run['publish'] for run in runs):.3f} s")
    rate = triple["rows"] / triple["seconds"]
    print(f"3x the rows     RSS {triple['rss']} MB ({triple['rss'] / rss - 1:+.1%})  {rate:,.0f} rows/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with loaded(given.scale, (1, 3)) as server:
        compare(server, given.rounds)


if __name__ == "__main__":
    main()
