"""How fast the PostgreSQL reader is, against `psql \\copy … to /dev/null csv` on the same box in the same minutes.

    .venv/bin/python -m benchmarks.postgres_read [--scale 1] [--rounds 3]

Prints rows per second of both, their ratio, and the reader's peak memory at one and at three times the rows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from statistics import median

from benchmarks.tpch import Tpch, loaded
from tests.services.framework import ROOT
from tests.services.postgres import Database, binaries

READ = """
import json, resource, sys, time
from tests.connectors.postgres_world import context, source, table
from dativo_provider.connectors.registry import open_reader
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
params, name, threads = json.loads(sys.argv[1])
stream = table(name)
reader = open_reader(SourceSpec("postgres", params, options={"threads": threads}), context())
started, cpu = time.monotonic(), time.process_time()
window = reader.window(stream, WindowRequest(full=True))
(piece,) = reader.slices(stream, window, 1)
rows = sum(batch.rows for batch in reader.read(stream, piece))
seconds, cpu = time.monotonic() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "rss": peak,
                  "threads": reader.result().detail["threads"]}))
"""


def psql(database: Database, table: str) -> float:
    """Seconds of the fastest plain way out of the server."""
    tool = shutil.which("psql") or str(binaries() / "psql")
    started = time.monotonic()
    subprocess.run([tool, database.url, "-qc", f"\\copy {table} to /dev/null csv"], check=True)
    return time.monotonic() - started


def read(database: Database, table: str, threads: int = 0) -> dict[str, float]:
    """One reading in a process of its own, so that its peak memory is its own."""
    arguments = json.dumps([database.params, table, threads])
    done = subprocess.run(
        [sys.executable, "-c", READ, arguments], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout))


def compare(server: Tpch, rounds: int) -> None:
    baseline, ones, twos = [], [], []
    for _ in range(rounds):
        baseline.append(psql(server.database, "lineitem"))
        ones.append(read(server.database, "lineitem", 1))
        twos.append(read(server.database, "lineitem"))
    copy = median(baseline)
    print(f"psql \\copy csv    {server.rows / copy:12,.0f} rows/s   {copy:6.2f} s")
    for runs in (ones, twos):
        seconds, cpu = median(run["seconds"] for run in runs), median(run["cpu"] for run in runs)
        print(
            f"reader, {runs[0]['threads']} thread(s) {server.rows / seconds:12,.0f} rows/s   {seconds:6.2f} s"
            f"   CPU {cpu:5.2f} s   RSS {max(run['rss'] for run in runs):4.0f} MB   ratio {copy / seconds:.2f}"
        )
    for threads, single in ((1, ones), (0, twos)):
        triple = read(server.database, "lineitem_3x", threads)
        before = max(run["rss"] for run in single)
        print(
            f"three times the rows, {triple['threads']} thread(s): RSS {triple['rss']:.0f} MB "
            f"({triple['rss'] / before - 1:+.1%}), {triple['rows'] / triple['seconds']:,.0f} rows/s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with loaded(given.scale, (1, 3)) as server:
        compare(server, given.rounds)


if __name__ == "__main__":
    main()
