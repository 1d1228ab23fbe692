"""What eight row checks cost: CPU seconds per six million rows of an order line table, clean and with bad rows.

python benchmarks/row_checks.py [ROWS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.model.checks import Rule
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.quality.stream import RowChecks

BATCH = 131_072
MODES = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]
FIELDS = (
    Field("orderkey", "long", required=True),
    Field("linenumber", "int"),
    Field("quantity", "decimal(15,2)"),
    Field("discount", "double"),
    Field("shipdate", "date"),
    Field("shipmode"),
    Field("comment"),
)
RULES = (
    {"type": "range", "column": "linenumber", "min": 1, "max": 7},
    {"type": "range", "column": "quantity", "min": 1, "max": 50},
    {"type": "range", "column": "discount", "min": 0, "exclusive_max": 1},
    {"type": "range", "column": "shipdate", "min": "1992-01-01", "max": "1999-01-01"},
    {"type": "enum", "column": "shipmode", "values": MODES},
    {"type": "length", "column": "comment", "min": 1, "max": 44},
    {"type": "regex", "column": "comment", "pattern": r"^[A-Za-z0-9 ,.;:!?'\-]*$"},
)


def batch(share_of_bad: float) -> pa.RecordBatch:
    rows = pa.array(range(BATCH), pa.int64())
    words = pc.cast(pc.multiply(rows, 2654435761), pa.string())
    modes = pa.array([*MODES, *(["ZEPPELIN"] if share_of_bad else [])])
    step = int(1 / share_of_bad) if share_of_bad else BATCH + 1
    bad = pa.array([row % step == step - 1 for row in range(BATCH)])
    return pa.record_batch(
        {
            "orderkey": rows,
            "linenumber": pa.array([1 + row % 7 for row in range(BATCH)], pa.int32()),
            "quantity": pa.array([Decimal(1 + row % 50) for row in range(BATCH)], pa.decimal128(15, 2)),
            "discount": pa.array([row % 10 / 100 for row in range(BATCH)]),
            "shipdate": pa.array([8036 + row % 2500 for row in range(BATCH)], pa.int32()).cast(pa.date32()),
            "shipmode": pc.if_else(bad, modes[-1], modes.take(pa.array([row % 7 for row in range(BATCH)]))),
            "comment": pc.binary_join_element_wise("carefully final requests", words, " "),
        }
    )


def measured(share_of_bad: float, rows: int) -> Iterator[str]:
    data, checks = batch(share_of_bad), compile_rules([Rule("inline", body) for body in RULES], FIELDS)
    for label, chosen in (("all", checks), ("without the regex", [c for c in checks if c.kind != "regex"])):
        running = RowChecks(chosen, data.schema)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(rows // BATCH):
            running.evaluate(data, {})
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        scale = 6_000_000 / (rows // BATCH * BATCH)
        failed = sum(result.failed for result in running.results())
        yield f"{label:18} {share_of_bad:5.1%} bad: {cpu * scale:5.2f} cpu s, {wall * scale:5.2f} s wall per 6M rows"
        yield f"  {failed} failures found"
    slowest = sorted(((_cost(check, data), check.id) for check in checks), reverse=True)[:4]
    yield "  dearest, ms per batch: " + ", ".join(f"{name} {seconds * 1000:.2f}" for seconds, name in slowest)


def _cost(check: object, data: pa.RecordBatch) -> float:
    running = RowChecks([check], data.schema)  # type: ignore[list-item]
    started = time.process_time()
    for _ in range(10):
        running.evaluate(data, {})
    return (time.process_time() - started) / 10


if __name__ == "__main__":
    for share in (0.0, 0.01):
        for line in measured(share, int(sys.argv[1]) if len(sys.argv) > 1 else 6_000_000):
            print(line)
