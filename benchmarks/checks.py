"""What checks over staged rows cost: 30 mixed ones over 1M rows, and the uniqueness of a key of 6M and of 60M rows.

python -m benchmarks.checks [--small]    (--small: the same over a tenth of the rows, and nothing is recorded)
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.result import Result

ROUNDS, MEMORY_MB = 3, 512
COLUMNS = ("quantity", "price", "discount", "tax", "weight")
FUNCTIONS = ("avg", "sum", "min", "max", "stddev")  # 5 columns x 5 functions
OTHERS: Sequence[Mapping[str, Any]] = (
    {"type": "aggregate", "function": "median", "column": "price", "min": -1e9},
    {"type": "aggregate", "function": "distinct_count", "column": "mode", "min": 1, "where": "quantity > 1"},
    {"type": "distribution", "column": "mode", "shares": {"m0": 0.25, "m1": 0.25, "m2": 0.25, "m3": 0.25}, "max": 0.1},
    {"type": "sql", "query": "SELECT count(*) FROM {table} WHERE price < discount", "min": 0},
    {"type": "unique", "column": "id"},
)


def mixed() -> list[Mapping[str, Any]]:
    made = [{"type": "aggregate", "function": f, "column": c, "min": -1e15} for c in COLUMNS for f in FUNCTIONS]
    return [*made, *OTHERS]


def write(path: Path, rows: int) -> None:
    import duckdb

    numbers = ", ".join(f"((i * {7919 + at}) % 100003) / 7.0 AS {name}" for at, name in enumerate(COLUMNS))
    keys = f"(i * 2654435761) % {rows if rows % 2 else rows + 1}"  # a permutation: keys come in no order
    query = f"SELECT i AS position, {keys} AS id, 'm' || (i % 4) AS mode, {numbers} FROM range({rows}) r(i)"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 131072)")


def judged(path: str, bodies: Sequence[Mapping[str, Any]]) -> tuple[float, float, float]:
    """Wall and CPU seconds, and the peak of memory in MB, of a process of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dativo_provider.model.books import Books
    from dativo_provider.model.checks import Rule
    from dativo_provider.model.settings import Settings
    from dativo_provider.model.stream import Field
    from dativo_provider.quality.frontends.compile import compile_rules
    from dativo_provider.quality.metrics.base import Scene
    from dativo_provider.quality.scan import evaluate

    fields = [Field("id", "long"), Field("mode"), *(Field(name, "double") for name in COLUMNS)]
    checks = [c for c in compile_rules([Rule("inline", body, "", "b:1") for body in bodies], fields) if c.declared_in]

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path, pre_buffer=False) as file:  # as staged files are read: else it keeps what it has read
            yield from file.iter_batches(65_536, columns=list(columns))

    rows = pq.read_metadata(path).num_rows
    books = Books(extracted=rows, accepted=rows, produced=rows)
    settings = Settings(tempfile.gettempdir(), memory_limit_mb=MEMORY_MB)
    wall, cpu = time.perf_counter(), time.process_time()
    found = evaluate(checks, Scene(read, books, datetime.now(UTC), settings, fields))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if wrong := [result for result in found if result.outcome != "passed"]:
        raise SystemExit(f"{wrong[0].name}: {wrong[0].outcome}: {wrong[0].message}")
    return wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(folder: Path, rows: int, bodies: Sequence[Mapping[str, Any]], rounds: int) -> list[tuple[float, ...]]:
    path = folder / f"{rows}.parquet"
    if not path.exists():
        write(path, rows)
    found: list[tuple[float, ...]] = []
    for _ in range(rounds):
        with get_context("spawn").Pool(1) as alone:
            found.append(alone.apply(judged, (str(path), bodies)))
        print(f"  {rows:,} rows, {len(bodies)} checks: " + "{:.2f} s wall, {:.2f} s CPU, {:.0f} MB".format(*found[-1]))
    return found


def main(small: bool) -> None:
    unique = [{"type": "unique", "column": "id"}]
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as name:
        folder, part = Path(name), 10 if small else 1
        many = measured(folder, 1_000_000 // part, mixed(), ROUNDS)
        key = measured(folder, 6_000_000 // part, unique, ROUNDS)
        large = measured(folder, 60_000_000 // part, unique, 1)
        mixed_key = [{"type": "unique", "columns": ["id", "mode", "price"]}]  # no whole numbers: by hashes, which spill
        hashed = measured(folder, 60_000_000 // part, mixed_key, 1)
    if small:
        return
    Result("checks_30", "30 mixed checks over 1M rows", "limit", "s", [r[0] for r in many], 3, "less").record()
    Result("checks_key_6m", "uniqueness of a key, 6M rows", "limit", "s", [r[0] for r in key], 1.5, "less").record()
    for name, of, found in (("60m", "a key", large), ("60m_hashed", "a key of number, text and double", hashed)):
        wall, cpu, peak = found[0]
        detail = {"wall": wall, "CPU seconds": cpu, "memory_limit_mb": MEMORY_MB}
        work = f"uniqueness of {of}, 60M rows"
        Result(f"checks_key_{name}", work, "memory limit", "MB", [peak], MEMORY_MB, "less", detail).record()


if __name__ == "__main__":
    main("--small" in sys.argv[1:])
