"""Twelve checks (5 written for Soda, 4 for Great Expectations, 3 in ODCS): by us in the pass and one scan, against the
real Soda and Great Expectations over the finished file, each in its environment (`make services`).

python -m benchmarks.engines [--small]    (--small: 600 thousand rows in place of 6 million, and nothing is recorded)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.result import Result

ROUNDS, MEMORY_MB = 3, 1024
ROWS, SMALL = 6_000_000, 600_000
MODES = ["AIR", "MAIL", "RAIL", "SHIP"]
SODA: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("orderkey", {"missing": {}}),
    ("mode", {"invalid": {"valid_values": MODES}}),
    ("quantity", {"invalid": {"valid_min": 1, "valid_max": 50}}),
    ("", {"row_count": {"threshold": {"must_be_greater_than": 0}}}),
    ("price", {"aggregate": {"function": "avg", "threshold": {"must_be_greater_than": 0}}}),
)
GX: Sequence[Mapping[str, Any]] = (
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "orderkey"}},
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "comment", "regex": "^[a-z0-9 ]+$"}},
    {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "comment", "min_value": 1}},
    {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "quantity", "min_value": 1, "max_value": 50}},
)
ODCS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("mode", {"metric": "nullValues", "mustBe": 0}),
    ("price", {"metric": "invalidValues", "arguments": {"minimum": 0}, "mustBe": 0}),
    ("comment", {"metric": "missingValues", "arguments": {"missingValues": ["", "n/a"]}, "mustBe": 0}),
)
ODCS_IN_SODA: Sequence[tuple[str, Mapping[str, Any]]] = (  # what a tool that enforces ODCS through Soda asks
    ("mode", {"missing": {}}),
    ("price", {"invalid": {"valid_min": 0}}),
    ("comment", {"missing": {"missing_values": ["", "n/a"]}}),
)


def write(path: Path, rows: int) -> None:
    import duckdb

    words = ", ".join(f"'{mode}'" for mode in MODES)
    key = f"(i * 2654435761) % {rows if rows % 2 else rows + 1} AS orderkey"  # a permutation
    query = (
        f"SELECT {key}, list_extract([{words}], 1 + i % 4) AS mode, (1 + i % 50)::DOUBLE AS quantity, "
        f"(i % 100003) / 7.0 AS price, 'line ' || (i % 9973) AS comment FROM range({rows}) r(i)"
    )
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 131072)")


def by_us(path: Path) -> float:
    """Wall seconds of masks and scan, and of nothing else: reading for the masks is the pipeline's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dativo_provider.model.books import Books
    from dativo_provider.model.checks import Rule
    from dativo_provider.model.settings import Settings
    from dativo_provider.model.stream import Field
    from dativo_provider.quality.frontends.compile import compile_rules
    from dativo_provider.quality.metrics.base import Scene
    from dativo_provider.quality.scan import evaluate
    from dativo_provider.quality.stream import RowChecks

    types = {"orderkey": "long", "mode": "string", "quantity": "double", "price": "double", "comment": "string"}
    fields = [Field(name, kind) for name, kind in types.items()]
    rules = [Rule("soda", body, column, "b:1") for column, body in SODA]
    rules += [Rule("great_expectations", body, "", "b:1") for body in GX]
    rules += [Rule("odcs", body, column, "b:1") for column, body in ODCS]
    checks = [check for check in compile_rules(rules, fields) if check.declared_in]
    rows = RowChecks([check for check in checks if check.scope == "row"], pq.read_schema(path))

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(65_536, columns=list(columns))

    total = 0.0
    for batch in read([field.name for field in fields]):
        begun = time.perf_counter()
        rows.evaluate(batch, {})
        total += time.perf_counter() - begun
    count = pq.read_metadata(path).num_rows
    books = Books(extracted=count, accepted=count, produced=count)
    settings = Settings(tempfile.gettempdir(), memory_limit_mb=MEMORY_MB)
    begun = time.perf_counter()
    dataset = [check for check in checks if check.scope == "dataset"]
    found = [*rows.results(), *evaluate(dataset, Scene(read, books, datetime.now(UTC), settings, fields))]
    _all_passed({each.name: each.outcome for each in found})
    return total + time.perf_counter() - begun


def by_engines(path: Path, envs: Path) -> float:
    """Wall seconds of both tools one after the other, as two commands after a load are."""
    soda = [{"native": body, "column": column} for column, body in (*SODA, *ODCS_IN_SODA)]
    gx = [{"native": body} for body in GX]
    return sum(_asked(name, its, path, envs) for name, its in (("soda", soda), ("great_expectations", gx)))


def _asked(engine: str, checks: Sequence[Mapping[str, Any]], path: Path, envs: Path) -> float:
    from dativo_provider.envs.place import interpreter
    from dativo_provider.envs.process import Call, call
    from dativo_provider.envs.recipes import recipe
    from dativo_provider.quality.engines.base import WORKERS

    python = interpreter(envs, engine)
    if python is None:
        raise SystemExit(f"{engine} is not installed: run `make services`")
    asked = [{**check, "id": f"{engine} {at}"} for at, check in enumerate(checks)]
    request = {"data": str(path), "memory_mb": MEMORY_MB, "threads": 2, "names": [], "checks": asked}
    wanted = Call(
        str(python), WORKERS / f"{engine}.py", 900, 8192, recipe(engine).variables, modules=(str(WORKERS / "shared"),)
    )
    begun = time.perf_counter()
    answers = call(wanted, lambda _: request)["answers"]
    _all_passed({name: each["outcome"] for name, each in answers.items()})
    return time.perf_counter() - begun


def _all_passed(outcomes: Mapping[str, str]) -> None:
    if wrong := {name: outcome for name, outcome in outcomes.items() if outcome != "passed"}:
        raise SystemExit(f"not what was asked for: {wrong}")


def main(small: bool) -> None:
    from tests.services.envs import start

    envs, ours, theirs = start(), [], []
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as name:
        path = Path(name, "lines.parquet")
        write(path, SMALL if small else ROWS)
        for _ in range(ROUNDS):
            ours.append(by_us(path))
            theirs.append(by_engines(path, envs))
            print(f"  ours {ours[-1]:.2f} s, Soda and Great Expectations {theirs[-1]:.2f} s", flush=True)
    if small:
        return
    shares = [100 * mine / others for mine, others in zip(ours, theirs, strict=True)]
    work, against = "12 checks of Soda, Great Expectations and ODCS over 6M rows", "the real engines after the load"
    Result("checks_engines", work, against, "%", shares, 10, "less", {"ours": ours, "engines": theirs}).record()


if __name__ == "__main__":
    main("--small" in sys.argv[1:])
