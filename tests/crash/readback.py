"""Reads tables back past Dativo's own code: catalog → files of the current snapshot → Parquet."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dativo_provider.model.books import Books
    from tests.crash.world import World


def table(world: World, name: str) -> Any:
    return world.table(name)


def live_files(world: World, name: str) -> list[str]:
    """Data files of the current snapshot; asserts that none is referenced twice and all exist."""
    found = table(world, name)
    snapshot = found.current_snapshot()
    if snapshot is None:
        return []
    entries = [e for m in snapshot.manifests(found.io) for e in m.fetch_manifest_entry(found.io, discard_deleted=True)]
    paths = [entry.data_file.file_path for entry in entries]
    assert len(paths) == len(set(paths)), "a file is referenced twice"
    assert all(found.io.new_input(path).exists() for path in paths), "a published file is gone"
    return paths


def column(world: World, name: str, wanted: str) -> list[Any]:
    """Of every live file, on disk or in an object store."""
    import pyarrow.parquet as pq

    io, values = table(world, name).io, []
    for path in live_files(world, name):
        with io.new_input(path).open() as opened:
            values += pq.ParquetFile(opened).read(columns=[wanted])[wanted].to_pylist()
    return values


def published_ids(world: World) -> list[int]:
    return column(world, "acme.orders", "id")


def quarantined_ids(world: World) -> list[int]:
    from pyiceberg.exceptions import NoSuchTableError

    try:
        raws = column(world, "acme.orders_quarantine", "raw")
    except NoSuchTableError:
        return []
    return [_identity(raw) for raw in raws]


def quarantined_by_run(world: World) -> dict[str, Counter[int]]:
    runs, raws = (column(world, "acme.orders_quarantine", name) for name in ("run", "raw"))
    found: dict[str, Counter[int]] = {run: Counter() for run in runs}
    for run, raw in zip(runs, raws, strict=True):
        found[run][_identity(raw)] += 1
    return found


def _identity(raw: str) -> int:
    return int(re.search(r"\d{6,}", raw)[0])  # type: ignore[index]


def cursor(world: World) -> dict[str, Any]:
    """What the table says is read up to."""
    from dativo_provider.files import open_files
    from dativo_provider.lake.state import read_state

    found, settings = table(world, "acme.orders"), world.context().settings
    files = open_files(found.location(), dict(settings.catalog.properties))
    state = read_state(found.properties, "dativo.state.orders.orders", files, "orders")
    return dict(state.cursor.value) if state.cursor else {}


def books(world: World) -> list[Books]:
    """Of the runs that published and could say so, oldest first."""
    from dativo_provider.store import open_store

    with open_store(world.context()) as store:
        found = store.runs(tenant="acme", status="published", limit=None)
    return [record.books for record in reversed(found)]
