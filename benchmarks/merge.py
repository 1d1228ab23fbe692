"""Merging 100,000 rows, half of them scattered updates, into a table of 1,000,000: ours and PyIceberg's `upsert`.

    .venv/bin/python -m benchmarks.merge [--rows 1000000] [--changes 100000] [--rounds 3]

Both sides start from equal tables and take turns; ours is staging the rows and publishing them, the peer's the rows in
memory. Goal: at least 15 times as fast, by wall time of the same round.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from dativo_provider.model.books import Books
from dativo_provider.model.run import Manifest
from dativo_provider.model.stream import Field, ReadResult
from tests.lake.support import Lake, job, settings

GOAL = 15
FIELDS = (
    Field("id", "long"), Field("part", "long"), Field("quantity", "decimal(12,2)"), Field("price", "decimal(12,2)"),
    Field("shipped", "date"), Field("mode", "string"), Field("comment", "string"),
)  # fmt: skip
_MODES = ["AIR", "RAIL", "SHIP", "TRUCK", "MAIL"]


def rows(ids: Sequence[int], word: str) -> pa.Table:
    """As wide as a narrow TPC-H lineitem."""
    numbers = pa.array(ids, pa.int64())
    cents = pa.array([i * 7919 % 100_000 for i in ids], pa.int64()).cast(pa.decimal128(19, 0))
    money = cents.cast(pa.decimal128(21, 2)).cast(pa.decimal128(12, 2))
    days = pa.array([8000 + i % 2500 for i in ids], pa.int32()).cast(pa.date32())
    modes = pa.array([_MODES[i % 5] for i in ids])
    comments = pa.array([f"{word} {i * 2654435761 % 2**32:x} carefully" for i in ids])
    columns = [numbers, pa.array([i % 20_000 for i in ids], pa.int64()), money, money, days, modes, comments]
    return pa.table(columns, names=[field.name for field in FIELDS])


def publish(lake: Lake, found: pa.Table) -> None:
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    for batch in found.to_batches(65_536):
        writer.write(batch)
    count = found.num_rows
    books = Books(extracted=count, accepted=count, produced=count)
    made = Manifest(plan.plan_id, 0, "1", books=books, read=ReadResult(count))
    lake.publish(plan, [replace(made, files=writer.close())])


def opened(home: str, name: str, size: int) -> Lake:
    where = settings(Path(home))
    filling = Lake(where, job(table=name), FIELDS)
    for start in range(0, size, size // 10):
        publish(filling, rows(range(start, start + size // 10), "first"))
    return Lake(where, job(mode="merge", table=name), FIELDS)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of wall and of CPU."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - busy


def same(one: Lake, other: Lake) -> bool:
    """The two sides have come to the same rows."""
    found = [lake.target.table(lake.name()).scan().to_arrow().sort_by("id") for lake in (one, other)]
    return bool(found[0].equals(found[1].cast(found[0].schema)))


def measure(size: int, changes: int, rounds: int) -> dict[str, Any]:
    seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "upsert": []}
    with tempfile.TemporaryDirectory(prefix="dativo-merge-") as home:
        ours, peer = opened(home, "ours", size), opened(home, "peers", size)
        for number in range(rounds):
            step = 2 * size // changes
            updates = range(number, size, step)
            inserts = range(size + number * changes // 2, size + (number + 1) * changes // 2)
            news = rows([*updates, *inserts], f"round{number}")
            table = peer.target.table(peer.name())
            sides: list[tuple[str, Callable[[], Any]]] = [
                ("ours", lambda news=news: publish(ours, news)),  # type: ignore[misc]
                ("upsert", lambda table=table, news=news: table.upsert(news, join_cols=["id"])),  # type: ignore[misc]
            ]
            for name, work in sides if number % 2 else reversed(sides):
                seconds[name].append(timed(work))
        equal = same(ours, peer)
    pairs = list(zip(seconds["ours"], seconds["upsert"], strict=True))
    wall, cpu = ([round(there[kind] / here[kind], 1) for here, there in pairs] for kind in (0, 1))
    return {
        "rows": size, "changes": changes, "equal": equal, "ratio": median(wall), "goal": GOAL, "ratios": wall,
        "cpu ratio": median(cpu),
        **{f"{name} seconds": [[round(each, 2) for each in pair] for pair in found] for name, found in seconds.items()},
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    found = measure(chosen.rows, chosen.changes, chosen.rounds)
    reached = found["equal"] and found["ratio"] >= GOAL
    print(json.dumps({**found, "reached": reached}))
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
