"""Publishing staged files: one commit, no footer read again, whatever their number.

    .venv/bin/python -m benchmarks.publish [--rounds 3]

The files are links to one staged file under names of their own, so that ten thousand are made quickly.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.result import Result
from dativo_provider.files import local_path
from dativo_provider.model.books import Books
from dativo_provider.model.run import Manifest, Plan, StagedFile
from dativo_provider.model.stream import ReadResult
from tests.lake.support import Lake, settings

GOALS = {1: 0.2, 1000: 1.0, 10_000: 5.0}
ROWS = 100


def staged(lake: Lake, files: int) -> tuple[Plan, Manifest]:
    plan = lake.plan()
    made = lake.extract(plan, range(ROWS))
    (first,) = made.files
    rows = ROWS * files
    books = Books(extracted=rows, accepted=rows, produced=rows)
    return plan, replace(made, files=tuple(linked(first, n) for n in range(files)), books=books, read=ReadResult(rows))


def linked(file: StagedFile, number: int) -> StagedFile:
    name = file.path.replace(".parquet", f"-{number}.parquet")
    os.link(local_path(file.path), local_path(name))
    return replace(file, path=name)


def measure(files: int, rounds: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="dativo-publish-") as home:
        lake = Lake(settings(Path(home)))
        lake.run([0])  # imports, catalog, first commit
        seconds = []
        for number in range(rounds):
            plan, made = staged(lake, files)
            seconds.append(lake.publish(plan, [made], number).seconds)
        return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    for files, goal in GOALS.items():
        work = f"publish {files} file{'s' if files > 1 else ''}"
        Result(f"08-publish-{files:05d}", work, "limit", "s", measure(files, rounds), goal, "less").record()


if __name__ == "__main__":
    main()
