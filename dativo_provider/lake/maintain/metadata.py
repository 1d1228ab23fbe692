"""metadata: every commit writes a metadata.json; the table remembers the last ones, the others are waste."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dativo_provider.errors import StorageUnavailable
from dativo_provider.files import FileInfo, canonical, join
from dativo_provider.lake.commit import guard
from dativo_provider.lake.maintain.work import Work, total
from dativo_provider.lake.sweep import YOUNGEST, may_delete
from dativo_provider.lake.translate import is_transient
from dativo_provider.model.maintenance import Amount, Upkeep

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["log_properties", "run"]

WHAT = "metadata files"
_FILE = re.compile(r"/(?:v(\d+)|(\d{5,})-[0-9a-f-]{36})(?:\.gz)?\.metadata\.json$")  # a folder's, a catalog's
_ATTEMPTS = 5


def log_properties(keep: int) -> Mapping[str, str]:
    """Other engines then delete what falls out of the log; our own commits never delete, so this job does."""
    return {
        "write.metadata.previous-versions-max": str(keep),
        "write.metadata.delete-after-commit.enabled": "true",
    }


def run(work: Work) -> Upkeep:
    table = work.load()
    wanted = log_properties(work.spec.keep_metadata) if may_delete(table) else {}
    changes = {key: value for key, value in wanted.items() if table.properties.get(key) != value}
    if changes and not work.dry_run:
        _set(work, changes)
    found = [info for info in work.files.list(join(table.location(), "metadata")) if _FILE.search(info.uri)]
    dropped = _dropped(found, work.load(), work)
    before = total([info.size for info in found])
    if not changes and not dropped:
        return work.nothing("metadata", WHAT, before)
    if not work.dry_run:
        work.delete(dropped)
    after = Amount(before.files - len(dropped), before.bytes - sum(info.size for info in dropped))
    note = ", ".join(f"{key}={value}" for key, value in changes.items())
    return work.report("metadata", WHAT, before, after, note)


def _dropped(found: list[FileInfo], table: Table, work: Work) -> list[FileInfo]:
    """Numbered below everything the table still names: a commit in flight writes higher numbers. The oldest come
    first, so that who dies on the way leaves no gap in the versions of a folder."""
    if not may_delete(table):
        return []
    named = {
        canonical(uri) for uri in (table.metadata_location, *(e.metadata_file for e in table.metadata.metadata_log))
    }
    oldest = min((number for uri in named if (number := _number(uri)) is not None), default=0)
    edge = work.now() - YOUNGEST.total_seconds()
    dropped = [
        info
        for info in found
        if canonical(info.uri) not in named and (_number(info.uri) or 0) < oldest and info.mtime <= edge
    ]
    return sorted(dropped, key=lambda info: _number(info.uri) or 0)


def _number(uri: str) -> int | None:
    match = _FILE.search(uri)
    return int(match[1] or match[2]) if match else None


def _set(work: Work, changes: Mapping[str, str]) -> None:
    """No compare-and-set: these properties are nobody else's."""
    for _ in range(_ATTEMPTS):
        try:
            table = work.load()
            guard(table)  # what fell out of the log is this job's to delete, the oldest first
            table.transaction().set_properties(dict(changes)).commit_transaction()
            return
        except Exception as problem:
            if not is_transient(problem):
                raise
            last = problem
    raise StorageUnavailable("the table keeps changing", where=work.table, remedy="run maintenance again") from last
