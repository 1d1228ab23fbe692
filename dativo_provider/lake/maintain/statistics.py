"""statistics: what the manifests know of the table, for its history in the metadata store.

Distinct counts would need sketches that PyIceberg can read but not write; row, file and byte counts are exact.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dativo_provider.lake.maintain.work import Work, data_entries, total
from dativo_provider.model.maintenance import Upkeep

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

__all__ = ["run"]

WHAT = "data files"


def run(work: Work) -> Upkeep:
    table = work.load()
    files = [entry.data_file for entry in data_entries(table)]
    amount = total([file.file_size_in_bytes for file in files])
    facts = _facts(table, files, work.spec.target_mb << 20)
    return replace(work.report("statistics", WHAT, amount, amount), facts=facts)


def _facts(table: Table, files: list[DataFile], target: int) -> dict[str, float]:
    sizes = [file.file_size_in_bytes for file in files]
    snapshot = table.current_snapshot()
    partitions = {(file.spec_id, str(file.partition)) for file in files}
    return {
        "table_rows": sum(file.record_count for file in files),
        "table_files": len(files),
        "table_bytes": sum(sizes),
        "table_small_files": sum(size < target / 2 for size in sizes),
        "table_partitions": len(partitions),
        "table_manifests": len(snapshot.manifests(table.io)) if snapshot else 0,
        "table_snapshots": len(table.metadata.snapshots),
    }
