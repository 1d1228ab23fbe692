"""Care of a table while runs publish into it: one leaf per job, each safe to kill and to repeat."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from dativo_provider.lake.maintain.work import Work
from dativo_provider.model.maintenance import Upkeep

__all__ = ["JOBS", "Work", "job"]

# In the order they help each other: fewer files make fewer manifests, and what both replaced expires later.
JOBS = {
    "compact": "rewrite small data files into files of the target size",
    "manifests": "rewrite many small manifests into few",
    "expire": "forget old snapshots and delete the files only they needed",
    "statistics": "note rows, files and bytes of the table in the metadata store",
    "metadata": "keep the metadata log short and delete metadata files it has dropped",
    "orphans": "delete files that no snapshot, state or running job knows",
}


def job(name: str) -> Callable[[Work], Upkeep]:
    """The leaf's `run`."""
    run: Callable[[Work], Upkeep] = import_module(f"dativo_provider.lake.maintain.{name}").run
    return run
