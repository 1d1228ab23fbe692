"""What state costs as a stream grows old: bytes written over its life, and the table's metadata with a large state.

    .venv/bin/python -m benchmarks.state_growth [--files 10000] [--partitions 1000] [--runs 100]

A stream of files remembers every file: one more in each run. Written as a whole each time, twice as many runs would
write four times the bytes; goal: under 2.6 times. Offsets of partitions all move in every run: twice the runs write
twice the bytes. The table's metadata.json with 10,000 files known may be 2 KB larger than with ten, and plan.json 200
bytes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dativo_provider.files import file_uri, open_files
from dativo_provider.lake.state import summary_of, write_state
from dativo_provider.model.run import State
from dativo_provider.model.stream import Cursor
from dativo_provider.pipeline.folder import RunFolder
from tests.lake.support import Lake, settings

GOAL_GROWTH = 2.6
GOAL_METADATA_BYTES = 2048
GOAL_PLAN_BYTES = 200


def fingerprint(number: int) -> dict[str, Any]:
    return {
        "size": 1000 + number,
        "mtime_ns": 1_700_000_000_000_000_000 + number,
        "sha256": f"{number:064x}",
        "rows": 9,
    }


def files_known(count: int) -> Mapping[str, Any]:
    return {"files": {f"incoming/2026/orders-{n:06d}.csv.gz": fingerprint(n) for n in range(count)}}


def life(cursors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Bytes of all state files ever written, nothing pruned, and of the largest property and summary."""
    with tempfile.TemporaryDirectory(prefix="dativo-state-") as home:
        location = file_uri(home)
        store, text, largest, summary = open_files(location), None, 0, 0
        started = time.process_time()
        for number, cursor in enumerate(cursors):
            state = State(number, Cursor(cursor), (f"20261121T000000-{number:08x}",))
            text = write_state(state, f"20261121T000000-{number:08x}", location, store, text)
            largest, summary = max(largest, len(text)), max(summary, len(summary_of(text)))
        seconds = time.process_time() - started
        written = sum(path.stat().st_size for path in Path(home).rglob("*.json"))
        whole = len(json.dumps(cursors[-1]))
    return {
        "runs": len(cursors), "state_bytes": whole, "written_bytes": written, "largest_property": largest,
        "largest_summary": summary, "cpu_ms_per_run": round(1000 * seconds / len(cursors), 2),
    }  # fmt: skip


def growing(count: int, steps: int = 500) -> dict[str, Any]:
    """A life that ends with `count` files, in `steps` runs."""
    known = files_known(count)["files"]
    names = list(known)
    return life([{"files": {name: known[name] for name in names[: count * (n + 1) // steps]}} for n in range(steps)])


def moving(partitions: int, runs: int) -> dict[str, Any]:
    return life([{"offsets": {f"orders-{p}": n * 1000 + p for p in range(partitions)}} for n in range(runs)])


def metadata_bytes(known: int) -> int:
    """Of metadata.json after five runs on top of `known` files."""
    with tempfile.TemporaryDirectory(prefix="dativo-state-") as home:
        lake = Lake(settings(Path(home)))
        for number in range(5):
            plan = lake.plan()
            lake.target.publish(plan, [lake.extract(plan, [number])], Cursor(files_known(known + number)))
        table = lake.target.table(lake.name())
        return len(Path(table.metadata_location.removeprefix("file://")).read_bytes())


def plan_bytes(known: int) -> int:
    """Of the plan.json of a run on top of `known` files."""
    with tempfile.TemporaryDirectory(prefix="dativo-state-") as home:
        lake = Lake(settings(Path(home)))
        made = lake.plan(base=State(known, Cursor(files_known(known)), ("20261121T000000-00000000",)))
        RunFolder(lake.target.files, made.folder).write_plan(made)
        return len(lake.target.files.read(made.path))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--partitions", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=100)
    chosen = parser.parse_args(arguments)
    half, full = growing(chosen.files // 2, 250), growing(chosen.files, 500)
    fewer, more = moving(chosen.partitions, chosen.runs // 2), moving(chosen.partitions, chosen.runs)
    extra = metadata_bytes(chosen.files) - metadata_bytes(10)
    plan = plan_bytes(chosen.files)
    longer = plan - plan_bytes(10)
    ratios = [round(b["written_bytes"] / a["written_bytes"], 2) for a, b in ((half, full), (fewer, more))]
    reached = max(ratios) < GOAL_GROWTH and extra < GOAL_METADATA_BYTES * 5 and longer < GOAL_PLAN_BYTES
    print(json.dumps({
        "files": full, "partitions": more, "growth_when_doubled": ratios,
        "metadata_bytes_more_per_snapshot": extra // 5, "plan_bytes": plan, "plan_bytes_more": longer,
        "bytes_per_run": full["written_bytes"] // full["runs"] + plan, "goal": GOAL_GROWTH, "reached": reached,
    }))  # fmt: skip
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
