"""Removes files nothing refers to. Never with a publish handle: its `delete` is disarmed on purpose."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import FileInfo, FileStore, canonical
from dativo_provider.lake.commit import load
from dativo_provider.lake.history import PENDING, recorded, said
from dativo_provider.lake.state import PREFIX, read_state, state_files

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["YOUNGEST", "find_orphans", "may_delete", "promised", "reachable", "sweep_folder", "sweep_orphans"]

YOUNGEST = timedelta(hours=1)  # commits in flight have written files that no metadata names yet
_STAGED = re.compile(r"/data/run-([^/]+)/")


def sweep_folder(folder: str, files: FileStore) -> int:
    """Everything below `folder`; the caller knows that nothing refers to it."""
    found = files.list(folder)
    for info in found:
        files.delete(info.uri)
    return len(found)


def sweep_orphans(catalog: Catalog, name: str, files: FileStore, **limits: Any) -> int:
    """Deletes what `find_orphans` finds; the number of files."""
    found = find_orphans(catalog, name, files, **limits)
    for info in found:
        files.delete(info.uri)
    return len(found)


def find_orphans(
    catalog: Catalog,
    name: str,
    files: FileStore,
    *,
    older_than: timedelta,
    running: Collection[str] = (),
    keep: Collection[str] = (),
    listed: Sequence[FileInfo] | None = None,
) -> list[FileInfo]:
    """Files of the table that no snapshot, branch, tag or state can reach, the oldest first.

    None where the catalog keeps history that the table does not show (Nessie sets `gc.enabled=false`).
    Spares `keep`, whatever is younger than `older_than`, the folders of `running` plans, and those of plans
    that have written anything of late. `listed`: the table's folder, when that is known already.
    """
    if older_than < YOUNGEST:
        raise ConfigurationError(f"files younger than {YOUNGEST} may belong to a commit in flight", where=name)
    table = load(catalog, name)
    if not may_delete(table):
        return []
    listed = files.list(table.location()) if listed is None else listed
    old = _old_files(listed, older_than, running)
    if not old:
        return []
    table = load(catalog, name)  # after the listing: what was committed meanwhile counts as reachable
    kept = {canonical(uri) for uri in (*reachable(table), *keep)}
    found = [info for info in old if canonical(info.uri) not in kept]
    return sorted(found, key=lambda info: (info.mtime, len(info.uri), info.uri))


def may_delete(table: Table) -> bool:
    """False where the catalog keeps history that the table does not show, other branches say, as Nessie does.
    https://iceberg.apache.org/docs/latest/configuration/"""
    return str(table.properties.get("gc.enabled", "true")).lower() != "false"


def _old_files(found: Sequence[FileInfo], older_than: timedelta, running: Collection[str]) -> list[FileInfo]:
    edge = time.time() - older_than.total_seconds()
    busy = {run for info in found if info.mtime > edge and (run := _run_of(info.uri))} | set(running)
    return [info for info in found if info.mtime <= edge and _run_of(info.uri) not in busy]


def _run_of(uri: str) -> str:
    """The plan id of a staged file; empty for other files."""
    match = _STAGED.search(uri)
    return match[1] if match else ""


def reachable(table: Table, without: Collection[int] = ()) -> Iterator[str]:
    """Every file the table's metadata leads to, from any snapshot (but those `without`)."""
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    yield from (entry.statistics_path for entry in (*table.metadata.statistics, *table.metadata.partition_statistics))
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        if snapshot.snapshot_id in without:
            continue
        yield snapshot.manifest_list
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                yield from _of_manifest(manifest, table)
    yield from _of_states(table)


def _of_manifest(manifest: Any, table: Table) -> Iterator[str]:
    yield manifest.manifest_path
    for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
        yield entry.data_file.file_path


def _of_states(table: Table) -> Iterator[str]:
    """Files of large states: of today, and those that a rollback to any kept snapshot would need."""
    records = [text for key, text in table.properties.items() if key.startswith(PREFIX)]
    yield from (file for text in (*records, *recorded(table)) for file in state_files(text))


def promised(main: Table, files: FileStore) -> Iterator[str]:
    """Files that commits of the main table have promised to its quarantine: `keep` them when sweeping that."""
    for key in main.properties:
        if key.startswith(PREFIX):
            state = read_state(main.properties, key, files, ".".join(main.name()))
            if state.pending:
                yield from _pending_files(state.pending, files)
    for ref in main.metadata.refs.values():
        head = main.metadata.snapshot_by_id(ref.snapshot_id)
        if head is not None and (pending := said(head).get(PENDING)):
            yield from _pending_files(pending, files)


def _pending_files(uri: str, files: FileStore) -> Iterator[str]:
    yield uri
    yield from (file["path"] for file in json.loads(files.read(uri))["files"])
