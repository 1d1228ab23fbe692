"""How a publish slows down as snapshots accumulate, and what maintenance gives back.

    .venv/bin/python -m benchmarks.publish_history [--snapshots 10,100,1000]

CPU-seconds of one publish of one small file, median of five, at so many snapshots; then after `manifests`, and after
`expire` to the last 20.
"""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from statistics import median

from dativo_provider.lake.commit import Change, _commit_once
from dativo_provider.lake.datafile import live_files
from dativo_provider.lake.maintain import Work, job
from dativo_provider.model.maintenance import MaintenanceSpec
from tests.lake.support import Lake, settings

SPEC = MaintenanceSpec(min_manifests=2, retention_days=0, keep_snapshots=20)


def grow(lake: Lake, snapshots: int) -> None:
    """Commits like those of publishes, of entries without a file behind them: nobody reads rows here."""
    known = next(iter(live_files(lake.target.table(lake.name())).values()))
    for _ in range(snapshots):
        file = copy(known)
        other = f"{known.file_path}.{secrets.token_hex(8)}"
        file._data = [other if value == known.file_path else value for value in known._data]
        change = Change(added=[file], summary={"dativo.run": secrets.token_hex(16), "dativo.state": "x" * 300})
        table = lake.target.table(lake.name())
        _commit_once(table, change, set())


def publish(lake: Lake, number: int) -> float:
    plan = lake.plan()
    made = lake.extract(plan, [number])
    started = time.process_time()
    lake.publish(plan, [made], number)
    return time.process_time() - started


def measure(lake: Lake, number: int) -> dict[str, float]:
    seconds = [publish(lake, number + each) for each in range(5)]
    table = lake.target.table(lake.name())
    size = lake.target.files.list(table.location() + "/metadata")
    newest = max((info for info in size if info.uri.endswith(".metadata.json")), key=lambda info: info.mtime)
    return {
        "snapshots": len(table.metadata.snapshots),
        "cpu": round(median(seconds), 4),
        "metadata_kb": newest.size >> 10,
    }


def show(at: str, found: dict[str, float]) -> None:
    print(json.dumps({"at": at, **found}), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", default="10,100,1000")
    steps = [int(each) for each in parser.parse_args(arguments).snapshots.split(",")]
    with tempfile.TemporaryDirectory(prefix="dativo-history-") as home:
        lake, number = Lake(settings(Path(home))), 0
        for step in steps:
            publish(lake, number)
            grow(lake, step - number - 1)
            show(str(step), measure(lake, step))
            number = step + 5
        for name in ("manifests", "expire"):
            job(name)(Work(lake.target.catalog, lake.name(), lake.target.files, SPEC))
            show(f"after {name}", measure(lake, number))
            number += 5
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
