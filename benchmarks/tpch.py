"""TPC-H lineitem in a PostgreSQL server of our own, for the benchmarks (6 001 215 rows at scale 1).

    with loaded(scale=1, times=(1, 3)) as server:   # tables lineitem and lineitem_3x in server.database

The generated CSV is kept under `.services/tpch/`; the server goes away with the block.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services import postgres
from tests.services.framework import services_folder
from tests.services.postgres import Database

CREATE = """create unlogged table lineitem (
    l_orderkey bigint not null, l_partkey bigint not null, l_suppkey bigint not null, l_linenumber integer not null,
    l_quantity numeric(15,2) not null, l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null,
    l_tax numeric(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null,
    l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,
    l_shipinstruct varchar(25) not null, l_shipmode varchar(10) not null, l_comment varchar(44) not null)"""
# The table lies in the server's cache, so that the reader is measured and not the disk.
SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "8GB", "autovacuum": "off"}


@dataclass(frozen=True)
class Tpch:
    database: Database
    rows: int


def csv_file(scale: float) -> Path:
    """Made once, by tpchgen-cli."""
    folder = services_folder() / "tpch" / f"sf{scale:g}"
    made = folder / "lineitem.csv"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).with_name("tpchgen-cli")
        command = [str(tool), "csv", "-s", f"{scale:g}", "--tables", "lineitem", "-o", str(folder / "new")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (folder / "new" / "lineitem.csv").rename(made)
    return made


@contextmanager
def loaded(scale: float = 1, times: Sequence[int] = (1,)) -> Iterator[Tpch]:
    """A server with `lineitem`, and `lineitem_<n>x` for every other n of `times`."""
    source = csv_file(scale)
    server = postgres.start(SETTINGS, own=True)
    try:
        with server.database() as database:
            started = time.monotonic()
            rows = _load(database, source)
            for factor in sorted(set(times) - {1}):
                database.execute(
                    f"create unlogged table lineitem_{factor}x as "
                    f"select l.* from lineitem l, generate_series(1, {factor})",
                    f"vacuum analyze lineitem_{factor}x",
                )
            print(f"loaded {rows:,} rows in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
            yield Tpch(database, rows)
    finally:
        server.stop()


def _load(database: Database, source: Path) -> int:
    connection = database.connect()
    try:
        with connection.cursor() as cursor, source.open("rb") as lines:
            cursor.execute(CREATE)
            cursor.copy_expert("copy lineitem from stdin (format csv, header)", lines, 1 << 20)
            rows = int(cursor.rowcount)
            cursor.execute("vacuum analyze lineitem")
            return rows
    finally:
        connection.close()
