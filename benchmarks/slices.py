"""Two slices on two workers against one, from a source that is slow per connection.

    .venv/bin/python -m benchmarks.slices [--rows 600000] [--rate 4] [--rounds 3]

A proxy lets each connection to PostgreSQL have `--rate` MB/s, as a distant or shared server would. A worker is a
process of its own, as Airflow's are; both read the slices of one plan. Goal: at least 1.7 times the rate.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.result import Result
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.run import Plan, RunRequest
from tests.services.framework import ROOT
from tests.services.postgres import Database, start

WORKER = """
import sys
from benchmarks.slices import work
work(*sys.argv[1:])
"""


class Throttle:
    """Passes connections on to `host:port`, each at `rate` bytes per second towards the client."""

    def __init__(self, host: str, port: int, rate: int) -> None:
        self._to, self._rate = (host, port), rate
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listening.accept()
            server = socket.create_connection(self._to)
            threading.Thread(target=_pass, args=(client, server, 0), daemon=True).start()
            threading.Thread(target=_pass, args=(server, client, self._rate), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket, rate: int) -> None:
    started, sent = time.monotonic(), 0
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
            sent += len(data)
            if rate and (ahead := sent / rate - (time.monotonic() - started)) > 0:
                time.sleep(ahead)
            elif rate:
                started, sent = time.monotonic(), 0  # no credit for having been idle
    except OSError:
        pass
    for each in (source, sink):
        each.close()


def context(home: str) -> RunContext:
    from dativo_provider.config.settings import settings_from

    return RunContext(settings_from({"home": home, "threads": "1"}))


def work(plan: str, home: str, *indexes: str) -> None:
    """One worker: waits for the line that starts it, so that starting Python is not measured."""
    from dativo_provider.pipeline import steps

    print("ready", flush=True)
    sys.stdin.readline()
    for index in indexes:
        steps.extract(plan, int(index), context(home))


def measured(plan: Plan, home: str, workers: int) -> float:
    shares = [[str(piece.index) for piece in plan.slices[at::workers]] for at in range(workers)]
    command = [sys.executable, "-c", WORKER, plan.path, home]
    running = [
        subprocess.Popen([*command, *share], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for share in shares
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    started = time.monotonic()
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.close()
    assert [each.wait() for each in running] == [0] * workers
    return time.monotonic() - started


def fill(database: Database, rows: int) -> None:
    database.execute(
        "create table lines (id bigint primary key, word text, price numeric(12,2), at timestamptz)",
        f"insert into lines select n, md5(n::text), n % 1000, now() from generate_series(1, {rows}) n",
        "analyze lines",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--rate", type=float, default=4, help="MB/s of each connection")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    from dativo_provider.pipeline import steps

    server = start(own=True)
    try:
        database = server.create_database()
        fill(database, given.rows)
        slow = Throttle(database.params["host"], int(database.params["port"]), int(given.rate * 1e6))
        source = SourceSpec("postgres", {**database.params, "host": "127.0.0.1", "port": slow.port})
        stream = StreamSpec("lines", "public.lines", "lines", ContractSpec("lines"), options={"min_slice_rows": 1000})
        target = TargetSpec(namespace="bench", mode="replace")
        job = JobSpec("bench", "lines", "lines", source, target, (stream,), slices=2)
        rates: list[list[float]] = [[], []]
        for _ in range(given.rounds):
            for workers in (1, 2):
                with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
                    plan = steps.plan(replace(job, id=f"lines{workers}"), "lines", context(home), RunRequest())
                    assert len(plan.slices) == 2
                    rates[workers - 1].append(measured(plan, str(Path(home)), workers))
        ratios = [one / two for one, two in zip(*rates, strict=True)]
        detail = {f"seconds of {workers}": median(seconds) for workers, seconds in zip((1, 2), rates, strict=True)}
        Result(
            "04-slices", "2 slices on 2 workers, source throttled", "1 worker", "x", ratios, 1.7, "more", detail
        ).record()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
