"""Twenty jobs of a thousand rows, one after the other in one process: what a job costs beside its rows.

    .venv/bin/python -m benchmarks.many_jobs [--jobs 20] [--rows 1000] [--profile]

Goal: below 1 CPU-second for each job.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from pathlib import Path

from benchmarks.result import Result
from tests.pipeline.build import Bench


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--profile", action="store_true", help="show what the CPU-seconds go to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as folder:
        seconds, profile = [], cProfile.Profile(time.process_time)
        for number in range(given.jobs + 1):
            if number == 1 and given.profile:  # the first one imports everything
                profile.enable()
            seconds.append(one(Path(folder), number, given.rows))
        profile.disable()
    work = f"{given.jobs} jobs of {given.rows} rows, one process: each"
    Result("10-many-jobs", work, "limit", "CPU-s", seconds[1:], 1, "less", {"first": seconds[0]}).record()
    if given.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats("dativo_provider|pyiceberg", 40)


def one(folder: Path, number: int, rows: int) -> float:
    from dativo_provider.pipeline import steps

    root = folder / str(number)
    root.mkdir()
    bench = Bench(root)
    bench.home = folder / "home"  # one catalog for all of them
    bench.csv("a.csv", *(f"{row},north,1.50,2026-03-01T00:00:00Z" for row in range(rows)))
    job, started = bench.spec(f"job{number}"), time.process_time()
    (report,) = steps.run(job, bench.context()).streams
    assert report.error is None, report.error
    return time.process_time() - started


if __name__ == "__main__":
    main()
