"""Reads tables back past Dativo's own code: catalog → files of the current snapshot → Parquet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.crash.world import World


def table(world: World, name: str) -> Any:
    from pyiceberg.catalog import load_catalog

    properties = dict(world.context().settings.catalog.properties)
    return load_catalog("dativo", **properties, warehouse=world.context().settings.catalog.warehouse).load_table(name)


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
    return [int(re.search(r"\d{6,}", raw)[0]) for raw in raws]  # type: ignore[index]
