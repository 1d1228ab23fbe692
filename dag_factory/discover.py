"""Which jobs a dags folder holds, and under which DAG id."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dativo_provider.config import JobFile, find_jobs

__all__ = ["discover"]


def discover(root: Path, wanted: str = "") -> dict[str, list[JobFile]]:
    """Job files by DAG id, sorted; only those of `wanted` when it is given. More than one file is a mistake.

    The folder of its tenant mostly has the wanted one: a task then looks nowhere else.
    """
    folder = root / "tenants" / wanted.partition(".")[0]
    if wanted and folder.is_dir() and (found := _by_id(find_jobs(folder), wanted)):
        return found
    return _by_id(find_jobs(root), wanted)


def _by_id(files: Iterable[JobFile], wanted: str) -> dict[str, list[JobFile]]:
    found: dict[str, list[JobFile]] = {}
    for file in files:
        if wanted in ("", file.dag_id):
            found.setdefault(file.dag_id, []).append(file)
    return dict(sorted(found.items()))
