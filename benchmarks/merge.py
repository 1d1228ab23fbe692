"""Merging 100,000 rows, half of them scattered updates, into a table of 1,000,000: ours and PyIceberg's `upsert`.

    .venv/bin/python -m benchmarks.merge [--rows 1000000] [--changes 100000] [--rounds 3]

Both sides start from equal tables and take turns; ours is staging the rows and publishing them, the peer's the rows in
memory. Goal: at least 15 times as fast, by wall time of the same round.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.result import Result
from dativo_provider.model.books import Books
from dativo_provider.model.run import Manifest
from dativo_provider.model.stream import Field, ReadResult
from tests.lake.support import Lake, job, settings

GOAL = 15
FIELDS = (
    Field("id", "long"), Field("part", "long"), Field("quantity", "decimal(12,2)"), Field("price", "decimal(12,2)"),
    Field("shipped", "date"), Field("mode", "string"), Field("comment", "string"),
)  # fmt: skip
_MODES = pa.array(["AIR", "RAIL", "SHIP", "TRUCK", "MAIL"])


def rows(ids: pa.Int64Array, word: str) -> pa.Table:
    """As wide as a narrow TPC-H lineitem."""
    cents = _modulo(pc.multiply(ids, 7919), 100_000).cast(pa.decimal128(19, 0))
    money = cents.cast(pa.decimal128(21, 2)).cast(pa.decimal128(12, 2))
    days = pc.add(_modulo(ids, 2500), 8000).cast(pa.int32()).cast(pa.date32())
    texts = _modulo(pc.multiply(ids, 2_654_435_761), 2**32).cast(pa.string())
    comments = pc.binary_join_element_wise(word, texts, "carefully", " ")
    columns = [ids, _modulo(ids, 20_000), money, money, days, _MODES.take(_modulo(ids, 5)), comments]
    return pa.table(columns, names=[field.name for field in FIELDS])


def _modulo(values: pa.Int64Array, number: int) -> pa.Int64Array:
    return pc.subtract(values, pc.multiply(pc.divide(values, number), number))


def numbers(*each: range) -> pa.Int64Array:
    return pa.concat_arrays([pa.array(one, pa.int64()) for one in each])


def news(size: int, changes: int, number: int) -> pa.Table:
    """Of one round: half are scattered updates, half are new."""
    updates = range(number, size, 2 * size // changes)
    inserts = range(size + number * changes // 2, size + (number + 1) * changes // 2)
    return rows(numbers(updates, inserts), f"round{number}")


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
    step = min(size // 10, 1_000_000)
    for start in range(0, size, step):
        publish(filling, rows(numbers(range(start, start + step)), "first"))
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


def measure(size: int, changes: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "upsert": []}
    with tempfile.TemporaryDirectory(prefix="dativo-merge-") as home:
        ours, peer = opened(home, "ours", size), opened(home, "peers", size)
        for number in range(rounds):
            found = news(size, changes, number)
            table = peer.target.table(peer.name())
            sides: list[tuple[str, Callable[[], Any]]] = [
                ("ours", lambda found=found: publish(ours, found)),  # type: ignore[misc]
                ("upsert", lambda table=table, found=found: table.upsert(found, join_cols=["id"])),  # type: ignore[misc]
            ]
            for name, work in sides if number % 2 else reversed(sides):
                seconds[name].append(timed(work))
        assert same(ours, peer), "the two sides came to different rows"
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    found = measure(chosen.rows, chosen.changes, chosen.rounds)
    pairs = list(zip(found["ours"], found["upsert"], strict=True))
    work = f"merge {chosen.changes // 1000}k rows into {chosen.rows / 1e6:g}M"
    detail = {f"seconds of {name}": median(wall for wall, _ in each) for name, each in found.items()}
    ratios = [there[0] / here[0] for here, there in pairs]
    Result("07-merge-upsert", work, "PyIceberg `upsert`", "x", ratios, GOAL, "more", detail).record()


if __name__ == "__main__":
    main()
