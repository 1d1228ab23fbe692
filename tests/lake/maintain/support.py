"""A table with many small files, and maintenance jobs run at it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dativo_provider.lake.maintain import Work, job
from dativo_provider.model.maintenance import MaintenanceSpec, Upkeep
from tests.lake.support import Lake

SPEC = MaintenanceSpec(target_mb=1, min_files=3, min_manifests=3, retention_days=1, keep_snapshots=1)
DAYS = 86_400.0


def work(lake: Lake, *, later: float = 0, spec: MaintenanceSpec = SPEC, **more: Any) -> Work:
    """`later`: days that have passed since."""
    target = lake.target
    return Work(
        target.catalog, lake.name(), target.files, spec, pinned=target.pinned, stray=target.stray,
        now=lambda: time.time() + later * DAYS, **more,
    )  # fmt: skip


def maintain(lake: Lake, name: str, **more: Any) -> Upkeep:
    return job(name)(work(lake, **more))


def small_files(lake: Lake, count: int = 6, rows: int = 10, start: int = 0) -> list[int]:
    """As many publishes; the ids that are there."""
    for number in range(count):
        lake.run(range(start + number * rows, start + number * rows + rows), cursor=number)
    return list(range(start, start + count * rows))


def age(folder: Path, days: float = 5) -> None:
    old = time.time() - days * DAYS
    for path in folder.rglob("*"):
        os.utime(path, (old, old))


def data_paths(lake: Lake) -> list[str]:
    return sorted(lake.target.table(lake.name()).inspect.files()["file_path"].to_pylist())


def head(lake: Lake) -> Any:
    snapshot = lake.target.table(lake.name()).current_snapshot()
    assert snapshot is not None
    return snapshot


def ids(lake: Lake, snapshot: int | None = None) -> list[int]:
    found: Sequence[int] = lake.target.table(lake.name()).scan(snapshot_id=snapshot).to_arrow()["id"].to_pylist()
    return sorted(found)
