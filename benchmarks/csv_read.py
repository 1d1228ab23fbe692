"""How fast the CSV reader is beside `pyarrow.csv.read_csv` with the same types, on the same file, in turns.

python benchmarks/csv_read.py [ROWS] [ROUNDS]
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from dativo_provider.connectors.csv.reader import CsvReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, WindowRequest
from dativo_provider.model.types import to_arrow

TYPES = {
    "orderkey": "long", "partkey": "long", "suppkey": "long", "linenumber": "int",
    "quantity": "decimal(15,2)", "extendedprice": "decimal(15,2)", "discount": "decimal(15,2)", "tax": "decimal(15,2)",
    "returnflag": "string", "linestatus": "string", "shipdate": "date", "commitdate": "date", "receiptdate": "date",
    "shipinstruct": "string", "shipmode": "string", "comment": "string",
}  # fmt: skip
WORDS = "carefully final deposits detect slyly again furiously even pinto beans quickly regular packages".split()
STEP = 50_000


def chunk(dice: random.Random) -> pa.Table:
    """Rows like TPC-H's lineitem."""
    rows = range(STEP)
    money = lambda low, high: [Decimal(dice.randrange(low, high)).scaleb(-2) for _ in rows]  # noqa: E731
    days = lambda: [date(1992, 1, 1) + timedelta(days=dice.randrange(2500)) for _ in rows]  # noqa: E731
    pick = lambda values: [dice.choice(values) for _ in rows]  # noqa: E731
    columns = [
        [dice.randrange(2**62) for _ in rows], pick(range(200_000)), pick(range(10_000)), pick(range(1, 8)),
        money(100, 5000), money(90_000, 10_000_000), money(0, 10), money(0, 8), pick("ANR"), pick("OF"),
        days(), days(), days(), pick(["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]),
        pick(["AIR", "RAIL", "SHIP", "TRUCK", "MAIL"]), [" ".join(dice.choices(WORDS, k=4)) for _ in rows],
    ]  # fmt: skip
    arrays = [pa.array(values, to_arrow(kind)) for values, kind in zip(columns, TYPES.values(), strict=True)]
    return pa.table(arrays, names=list(TYPES))


def write(path: Path, rows: int, change: Callable[[bytes], bytes], quoting: str) -> None:
    table = chunk(random.Random(7))
    with path.open("wb") as file:
        for part in range(max(1, rows // STEP)):
            sink = pa.BufferOutputStream()
            options = pacsv.WriteOptions(include_header=part == 0, quoting_style=quoting)
            pacsv.write_csv(table, sink, options)
            file.write(change(sink.getvalue().to_pybytes()))


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "plain": (lambda text: text, "none"),
    "texts in quotes": (lambda text: text, "needed"),
    "line ends in values": (lambda text: text.replace(b"pinto beans", b"pinto\nbeans"), "needed"),
    "1 % wrong numbers": (lambda text: text.replace(b",77", b",x7"), "none"),
    "1 % ragged lines": (lambda text: text.replace(b"AIR,final again", b"AIR,,final again"), "none"),
}


def by_arrow(path: Path) -> int:
    options = pacsv.ConvertOptions(column_types={name: to_arrow(kind) for name, kind in TYPES.items()})
    return int(pacsv.read_csv(path, convert_options=options).num_rows)


def by_reader(path: Path) -> int:
    fields = tuple(Field(name, kind) for name, kind in TYPES.items())
    stream = StreamSpec("lines", path.name, "lines", ContractSpec("lines", fields=fields))
    reader = CsvReader(SourceSpec("csv", roots=(str(path.parent),)), RunContext(Settings(home="")))
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    for batch in reader.read(stream, piece):
        del batch
    return reader.result().rows


def seconds(read: Callable[[Path], int], path: Path) -> tuple[float, int]:
    started = time.perf_counter()
    rows = read(path)
    return time.perf_counter() - started, rows


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.csv"
        for label, (change, quoting) in FILES.items():
            path = Path(folder) / f"{label.replace(' ', '_').replace('%', '')}.csv"
            write(path, rows, change, quoting)
            ours = [seconds(by_reader, path) for _ in range(rounds)]
            arrow = [seconds(by_arrow, plain) for _ in range(rounds)]
            mine, theirs = (statistics.median(each for each, _ in times) for times in (ours, arrow))
            print(
                f"{label:20} {ours[0][1] / mine / 1e6:5.2f} M rows/s, {path.stat().st_size / mine / 1e6:4.0f} MB/s, "
                f"{theirs / mine:4.2f} of pyarrow.csv on the plain file ({rows / theirs / 1e6:.2f} M rows/s)"
            )
            if path != plain:
                path.unlink()
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (pyarrow.csv's included)")


if __name__ == "__main__":
    main()
