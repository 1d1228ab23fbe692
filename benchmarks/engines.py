"""Twelve checks (5 written for Soda, 4 for Great Expectations, 3 in ODCS) over TPC-H lineitem, 6M rows.

python -m benchmarks.engines [--rounds 5]

What they add to a load from PostgreSQL into Iceberg, and what they cost over the table as it lies there, each against
the real Soda and Great Expectations over the finished table: two commands, each in its environment (`make services`).
All sides take turns. Added time is the difference of the same run with and without them. Their CPU seconds are counted
within the run, around the checks of batches and the audit: a difference of whole runs is less than their scatter.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.postgres_to_iceberg import COLUMNS, Written, context, job
from benchmarks.result import Result
from benchmarks.tpch import loaded
from tests.services.framework import ROOT
from tests.services.postgres import Database

MEMORY_MB = 1024
MODES = ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"]
KEY = ["l_orderkey", "l_linenumber"]
SODA: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("l_orderkey", {"missing": {}}),
    ("l_shipmode", {"invalid": {"valid_values": MODES}}),
    ("l_quantity", {"invalid": {"valid_min": 1, "valid_max": 50}}),
    ("", {"row_count": {"threshold": {"must_be_greater_than": 0}}}),
    ("l_extendedprice", {"aggregate": {"function": "avg", "threshold": {"must_be_greater_than": 0}}}),
)
GX: Sequence[Mapping[str, Any]] = (
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": KEY}},
    {
        "type": "expect_column_values_to_match_regex",
        "kwargs": {"column": "l_comment", "regex": r"^[A-Za-z0-9 ,.;:!?'\-]+$"},
    },
    {
        "type": "expect_column_value_lengths_to_be_between",
        "kwargs": {"column": "l_comment", "min_value": 1, "max_value": 44},
    },
    {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {"column": "l_quantity", "min_value": 1, "max_value": 50},
    },
)
ODCS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("l_shipmode", {"metric": "nullValues", "mustBe": 0}),
    ("l_extendedprice", {"metric": "invalidValues", "arguments": {"minimum": 0}, "mustBe": 0}),
    ("l_comment", {"metric": "missingValues", "arguments": {"missingValues": ["", "n/a"]}, "mustBe": 0}),
)
ODCS_IN_SODA: Sequence[tuple[str, Mapping[str, Any]]] = (  # what a tool that enforces ODCS through Soda asks
    ("l_shipmode", {"missing": {}}),
    ("l_extendedprice", {"invalid": {"valid_min": 0}}),
    ("l_comment", {"missing": {"missing_values": ["", "n/a"]}}),
)
RULES: Sequence[Written] = (
    *(("soda", body, column) for column, body in SODA),
    *(("great_expectations", body, "") for body in GX),
    *(("odcs", body, column) for column, body in ODCS),
)


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float  # of the processes that were started, and of theirs
    checks: float = 0.0  # of them within checks


CHILD = "import sys; from benchmarks import engines; getattr(engines, sys.argv[1])(sys.argv[2])"


def child(function: str, argument: str) -> Any:
    """What that function of this module prints in a process of its own."""
    command = [sys.executable, "-c", CHILD, function, argument]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def load(database: Database, home: str, rules: Sequence[Written]) -> Cost:
    begun, before = time.perf_counter(), os.times()
    checks = child("checked_load", json.dumps([database.params, home, rules]))
    return _since(begun, before, checks)


def checked_load(argument: str) -> None:
    """One run; prints the CPU seconds of its checks."""
    from dativo_provider.pipeline import audit
    from dativo_provider.pipeline.steps import run
    from dativo_provider.quality import scan
    from dativo_provider.quality.stream import RowChecks

    params, home, rules = json.loads(argument)
    spent: list[float] = []
    _counted(RowChecks, "evaluate", time.thread_time, spent)
    _counted(scan, "evaluate", time.process_time, spent)
    _counted(audit, "set_repeats_aside", time.process_time, spent)
    (stream,) = run(job(params, "lineitem", rules), context(home)).streams
    if stream.error:
        raise stream.error
    print(sum(spent))


def _counted(owner: Any, name: str, clock: Callable[[], float], spent: list[float]) -> None:
    plain = getattr(owner, name)

    def counting(*given: Any, **named: Any) -> Any:
        begun = clock()
        try:
            return plain(*given, **named)
        finally:
            spent.append(clock() - begun)

    setattr(owner, name, counting)


def cost(work: Callable[[], object]) -> Cost:
    begun, before = time.perf_counter(), os.times()
    work()
    return _since(begun, before)


def _since(begun: float, before: os.times_result, checks: float = 0.0) -> Cost:
    cpu = sum(os.times()[2:4]) - sum(before[2:4])  # of children, and theirs
    return Cost(time.perf_counter() - begun, cpu, checks)


def finished(home: str, path: Path) -> None:
    """The newest run's rows as one file, for tools that know no Iceberg."""
    import duckdb

    folder = max(Path(home).glob("warehouse/**/data/run-*"), key=lambda each: each.stat().st_mtime)
    wanted = ", ".join(COLUMNS)
    duckdb.execute(f"COPY (SELECT {wanted} FROM '{folder}/**/*.parquet') TO '{path}' (COMPRESSION zstd)")


def over_table(path: str) -> None:
    """Prints wall and CPU seconds of masks and scan; reading all columns for the masks is the pipeline's."""
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

    fields = [Field(name, kind, required=True) for name, kind in COLUMNS.items()]
    rules = [Rule(language, body, column, "b:1") for language, body, column in RULES]
    checks = [check for check in compile_rules(rules, fields) if check.declared_in]
    rows = RowChecks([check for check in checks if check.scope == "row"], pq.read_schema(path))

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield from file.iter_batches(65_536, columns=list(columns))

    wall = cpu = 0.0
    for batch in read([field.name for field in fields]):
        begun, before = time.perf_counter(), time.process_time()
        rows.evaluate(batch, {})
        wall, cpu = wall + time.perf_counter() - begun, cpu + time.process_time() - before
    count = pq.read_metadata(path).num_rows
    books = Books(extracted=count, accepted=count, produced=count)
    settings = Settings(tempfile.gettempdir(), memory_limit_mb=MEMORY_MB)
    begun, before = time.perf_counter(), time.process_time()
    dataset = [check for check in checks if check.scope == "dataset"]
    found = [*rows.results(), *evaluate(dataset, Scene(read, books, datetime.now(UTC), settings, fields))]
    _all_passed({each.name: each.outcome for each in found})
    print(json.dumps([wall + time.perf_counter() - begun, cpu + time.process_time() - before]))


def by_engines(path: Path, envs: Path) -> None:
    """Both tools one after the other, as two commands after a load are."""
    soda = [{"native": body, "column": column} for column, body in (*SODA, *ODCS_IN_SODA)]
    gx = [{"native": body} for body in GX]
    for name, its in (("soda", soda), ("great_expectations", gx)):
        _ask(name, its, path, envs)


def _ask(engine: str, checks: Sequence[Mapping[str, Any]], path: Path, envs: Path) -> None:
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
    answers = call(wanted, lambda _: request)["answers"]
    _all_passed({name: each["outcome"] for name, each in answers.items()})


def _all_passed(outcomes: Mapping[str, str]) -> None:
    if wrong := {name: outcome for name, outcome in outcomes.items() if outcome != "passed"}:
        raise SystemExit(f"not what was asked for: {wrong}")


def measured(database: Database, rounds: int, envs: Path) -> list[dict[str, Cost]]:
    """The costs of every side in each round, in turning order."""
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as home:
        path = Path(home, "finished.parquet")
        load(database, home, RULES)  # makes the store and the caches of the file system
        finished(home, path)
        sides: dict[str, Callable[[], Cost]] = {
            "without": lambda: load(database, home, []),
            "with": lambda: load(database, home, RULES),
            "engines": lambda: cost(lambda: by_engines(path, envs)),
            "over the table": lambda: Cost(*child("over_table", str(path))),
        }
        found: list[dict[str, Cost]] = []
        for number in range(rounds):
            names = list(sides)[:: 1 if number % 2 else -1]
            found.append({name: sides[name]() for name in names})
            said = (f"{name} {each.wall:.2f} s, {each.cpu:.2f} CPU-s" for name, each in sorted(found[-1].items()))
            print("  " + "; ".join(said), flush=True)
    return found


def record(found: Sequence[Mapping[str, Cost]]) -> None:
    detail = {name: [vars(each[name]) for each in found] for name in found[0]}
    work, theirs = "12 checks of Soda, GX and ODCS over 6M rows", "of the real engines' after the load"

    def record(name: str, against: str, shares: Sequence[float], goal: float | None) -> None:
        more = detail if name == "added" else {}
        Result(f"checks_{name}", work, against, "%", [100 * each for each in shares], goal, "less", more).record()

    # Times scatter by more than the goals, so these are held by CPU seconds.
    added = [each["with"].wall - each["without"].wall for each in found]
    pairs = list(zip(added, found, strict=True))
    record("added", "added to the load's time", [more / each["without"].wall for more, each in pairs], None)
    record("added_engines", f"added time, share {theirs}", [more / each["engines"].wall for more, each in pairs], None)
    spent = [each["with"].checks - each["without"].checks for each in found]
    both = list(zip(spent, found, strict=True))
    record(
        "cpu", "CPU seconds, share of the load's other", [more / (each["with"].cpu - more) for more, each in both], 5
    )
    record("cpu_engines", f"CPU seconds, share {theirs}", [more / each["engines"].cpu for more, each in both], 10)
    over = [each["over the table"].cpu / each["engines"].cpu for each in found]
    record("engines", f"over the finished table: CPU seconds, share {theirs}", over, None)


def main() -> None:
    from tests.services.envs import start

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1, help="other than 1, nothing is recorded")
    given = parser.parse_args()
    with loaded(given.scale) as server:
        found = measured(server.database, given.rounds, start())
    if given.scale == 1:
        record(found)


if __name__ == "__main__":
    main()
