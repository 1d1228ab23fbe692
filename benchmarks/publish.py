"""Publishing 40 staged files: one commit, no footer read again.

    .venv/bin/python -m benchmarks.publish [--files 40] [--rounds 5]

Goal: under 0.3 s, and no slower on a table that has many files already.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from dativo_provider.model.run import Manifest, Plan
from tests.lake.support import Lake, settings

GOAL_SECONDS = 0.3


def staged(lake: Lake, files: int, start: int) -> tuple[Plan, list[Manifest]]:
    plan = lake.plan()
    rows = [range(start + n * 100, start + n * 100 + 100) for n in range(files)]
    return plan, [lake.extract(plan, part, [part[0]], piece=n) for n, part in enumerate(rows)]


def measure(files: int, rounds: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="dativo-publish-") as home:
        lake = Lake(settings(Path(home)))
        lake.run([0])  # imports, catalog, first commit
        seconds = []
        for number in range(rounds):
            plan, manifests = staged(lake, files, number * files * 100)
            seconds.append(lake.publish(plan, manifests, number).seconds)
        return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    seconds = measure(chosen.files, chosen.rounds)
    found = {"files": chosen.files, "seconds": [round(s, 3) for s in seconds], "median": round(median(seconds), 3)}
    print(json.dumps({**found, "goal": GOAL_SECONDS, "reached": median(seconds) < GOAL_SECONDS}))
    return 0 if median(seconds) < GOAL_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
