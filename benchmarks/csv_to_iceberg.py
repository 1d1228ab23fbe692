"""CSV → contract with 8 row checks → Iceberg, against `pyarrow.csv.read_csv` + `pyarrow.parquet.write_table`.

    .venv/bin/python -m benchmarks.csv_to_iceberg [--rows 3000000] [--rounds 3]

Same file, same types, same compression, each in a process of its own, in turns. Goal: at least half the rate.
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


def arrow(path: str, home: str) -> int:
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    from dativo_provider.model.types import to_arrow

    types = {name: to_arrow(kind) for name, kind in TYPES.items()}
    table = pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(column_types=types))
    pq.write_table(table, Path(home) / "arrow.parquet", compression="zstd")
    return int(table.num_rows)


def measured(what: str, path: Path, home: str) -> dict[str, float]:
    command = [sys.executable, "-c", MEASURED.format(what=what), str(path), home]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
        path = Path(home) / "lines.csv"
        write(path, given.rows, *FILES["plain"])
        pairs = [(measured("arrow", path, home), measured("dativo", path, home)) for _ in range(given.rounds)]
        for label, runs in zip(("pyarrow csv + parquet", "dativo run"), zip(*pairs, strict=True), strict=True):
            seconds, cpu = (median(each[key] for each in runs) for key in ("seconds", "cpu"))
            rate, rss = runs[0]["rows"] / seconds, max(each["rss"] for each in runs)
            print(f"{label:22} {seconds:6.2f} s  {rate:12,.0f} rows/s  CPU {cpu:6.2f} s  RSS {rss:.0f} MB")
        ratio = median(theirs["seconds"] / ours["seconds"] for theirs, ours in pairs)
        print(f"ratio                  {ratio:6.2f}    (goal 0.5)")


if __name__ == "__main__":
    main()
