"""Merging 100,000 rows, half of them scattered updates, into a table of 50,000,000: ours and Spark's MERGE.

    .venv/bin/python -m benchmarks.merge_spark [--rows 50000000] [--changes 100000] [--rounds 2]

Spark has a table of its own with the same rows, two cores and 4 GB; starting it is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

from benchmarks.merge import news, opened, publish, timed
from benchmarks.result import Result
from tests.services import spark
from tests.services.framework import ROOT

PROGRAM = ROOT / "benchmarks" / "merge_spark_program.py"


def theirs(home: str, files: list[str], changes: list[str]) -> list[float]:
    """Seconds of each MERGE."""
    env, jar = spark.needs()
    arguments = json.dumps({"home": home, "files": files, "changes": changes, "jars": jar})
    command = [sys.executable, str(PROGRAM), arguments]
    done = subprocess.run(command, check=True, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def measure(size: int, changes: int, rounds: int) -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory(prefix="dativo-merge-") as home:
        lake = opened(home, "ours", size)
        files = [task.file.file_path for task in lake.target.table(lake.name()).scan().plan_files()]
        paths, ours = [], []
        for number in range(rounds):
            found = news(size, changes, number)
            paths.append(str(Path(home) / f"round{number}.parquet"))
            pq.write_table(found, paths[-1])
        spark_seconds = theirs(home, files, paths)
        for number in range(rounds):
            found = news(size, changes, number)
            ours.append(timed(lambda found=found: publish(lake, found))[0])  # type: ignore[misc]
    return ours, spark_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    ours, others = measure(given.rows, given.changes, given.rounds)
    work = f"merge {given.changes // 1000}k rows into {given.rows / 1e6:g}M"
    detail = {"seconds of ours": median(ours), "seconds of Spark": median(others)}
    ratios = [there / here for here, there in zip(ours, others, strict=True)]
    Result("07-merge-spark", work, "Spark `MERGE`", "x", ratios, None, "more", detail).record()


if __name__ == "__main__":
    main()
