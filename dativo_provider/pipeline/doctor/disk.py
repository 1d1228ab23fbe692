"""disk: room for staged files, spilled sorts and the embedded parts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dativo_provider.files import local_path
from dativo_provider.lake.catalog import warehouse_of
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn

_GB = 1_000_000_000
_LEAST, _LITTLE = 1 * _GB, 10 * _GB


def check(patient: Patient) -> Iterator[Finding]:
    warehouse = warehouse_of(patient.ctx.settings)
    places = {"home": Path(patient.ctx.settings.home), "temporary files": Path(tempfile.gettempdir())}
    if warehouse.startswith("file:"):
        places["warehouse"] = local_path(warehouse)
    free = {name: shutil.disk_usage(_existing(path)).free for name, path in places.items()}
    name, least = min(free.items(), key=lambda item: item[1])
    said = f"{least / _GB:.1f} GB free for {name} ({places[name]})"
    if least < _LEAST:
        yield fail("disk", said, "free space, or move it: runs would fail")
    elif least < _LITTLE:
        yield warn("disk", said, "free space before a large run")
    else:
        yield ok("disk", said)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
