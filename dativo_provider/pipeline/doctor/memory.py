"""memory: the limit of one task against what the machine, or its container, has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_BESIDE_MB = 512  # Python, Arrow buffers and Parquet writers beside DuckDB


def check(patient: Patient) -> Iterator[Finding]:
    limit, have = patient.ctx.settings.memory_limit_mb, available_mb()
    if have is None:
        yield warn(
            "memory", f"memory_limit is {limit} MB; how much there is cannot be told here", "compare them yourself"
        )
        return
    said = f"memory_limit is {limit} MB of {have} MB"
    if limit >= have:
        yield fail("memory", said, "lower [dativo] memory_limit: the system would kill the task")
    elif limit + _BESIDE_MB > have:
        yield warn("memory", said, f"leave {_BESIDE_MB} MB for what is not DuckDB's: lower [dativo] memory_limit")
    else:
        yield ok("memory", said)


def available_mb() -> int | None:
    """Of this container, else of the machine."""
    found = [size for path in _CGROUPS if (size := _number(Path(path)))]
    if total := _total():
        found.append(total)
    return min(found) >> 20 if found else None


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _total() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:")), None)
