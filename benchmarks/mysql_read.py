"""How fast the MySQL reader is, against `mariadb --quick -B > /dev/null` on the same server in the same minutes.

    .venv/bin/python -m benchmarks.mysql_read [--rows 5000000] [--rounds 3]

Also the reader's peak memory at all of the rows and at a tenth of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from benchmarks.result import Result
from tests.services.framework import ROOT
from tests.services.mariadb import MariaDatabase, client, client_environment, start

CREATE = """create table {name} (id bigint unsigned primary key, customer int not null, amount decimal(12,2),
    price double, status varchar(20), email varchar(80), note text, created datetime(6), updated timestamp(6) null,
    flag tinyint(1))"""
FILL = """insert into {name} select seq, seq % 100003, round(seq * 1.37 % 100000, 2), seq / 7,
    elt(1 + seq % 4, 'new', 'paid', 'shipped', 'refunded'), concat('user', seq, '@example.com'),
    if(seq % 5 = 0, null, concat('note for order number ', seq, ' with some words to make it a bit longer')),
    '2024-01-01' + interval seq second, '2024-01-01' + interval seq * 3 second, seq % 2 from seq_1_to_{rows}"""
READ = """
import json, resource, sys, time
from tests.connectors.mysql_world import context, table
from dativo_provider.connectors.registry import open_reader
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
params, name = json.loads(sys.argv[1])
stream = table(name)
started, cpu = time.monotonic(), time.process_time()
reader = open_reader(SourceSpec("mysql", params), context())
window = reader.window(stream, WindowRequest(full=True))
(piece,) = reader.slices(stream, window, 1)
rows = sum(batch.rows for batch in reader.read(stream, piece))
print(json.dumps({"rows": rows, "seconds": time.monotonic() - started, "cpu": time.process_time() - cpu,
                  "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))
"""


def plain(database: MariaDatabase, table: str) -> float:
    """Seconds of the server's own client."""
    given = database.params
    place = ["-h", given["host"], "-P", str(given["port"]), "-u", given["user"], given["database"]]
    started = time.monotonic()
    subprocess.run(
        [*client(), *place, "--quick", "-B", "-e", f"select * from {table}"], check=True, stdout=subprocess.DEVNULL,
        env={**client_environment(), "MYSQL_PWD": given["password"]},
    )  # fmt: skip
    return time.monotonic() - started


def read(database: MariaDatabase, table: str) -> dict[str, float]:
    """One reading in a process of its own, so that its peak memory is its own."""
    arguments = json.dumps([dict(database.params), table])
    done = subprocess.run(
        [sys.executable, "-c", READ, arguments], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    server = start({"innodb-buffer-pool-size": "1G"})
    try:
        with server.database() as database:
            for name, rows in (("tenth", given.rows // 10), ("whole", given.rows)):
                database.execute(CREATE.format(name=name), FILL.format(name=name, rows=rows))
            compared(database, given.rows, given.rounds)
    finally:
        server.stop()


def compared(database: MariaDatabase, rows: int, rounds: int) -> None:
    ratios, peaks, small = [], [], read(database, "tenth")["rss"]
    for _ in range(rounds):
        baseline, ours = plain(database, "whole"), read(database, "whole")
        if ours["rows"] != rows:
            raise SystemExit(f"{ours['rows']} of {rows} rows arrived")
        ratios.append(baseline / ours["seconds"])
        peaks.append(ours["rss"] / small)
    work = f"MySQL {rows / 1e6:g}M rows → Arrow"
    Result("mysql_read", work, "rate of `mariadb --quick -B > /dev/null`", "x", ratios, 0.6).record()
    Result("mysql_read_memory", work, "memory at a tenth of the rows", "x", peaks, 1.1, "less").record()


if __name__ == "__main__":
    main()
