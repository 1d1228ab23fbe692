"""Snapshots that say `replace`: other files or manifests with the same rows, which incremental readers may skip.
https://iceberg.apache.org/spec/#snapshots"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyiceberg.table import Transaction

    from dativo_provider.lake.commit import Change

__all__ = ["merge_manifests", "replace_files"]


def replace_files(transaction: Transaction, change: Change) -> Any:
    return _kinds()[0](**_arguments(transaction, change))


def merge_manifests(transaction: Transaction, change: Change) -> Any:
    return _kinds()[1](**_arguments(transaction, change))


def _arguments(transaction: Transaction, change: Change) -> dict[str, Any]:
    from pyiceberg.table.snapshots import Operation

    return {
        "operation": Operation.OVERWRITE,  # the totals are computed for these words only; see `_summary`
        "transaction": transaction,
        "io": transaction._table.io,
        "snapshot_properties": dict(change.summary),
    }


@cache
def _kinds() -> tuple[Any, Any]:
    """PyIceberg's producers, which know no `replace` of their own."""
    from pyiceberg.table.snapshots import Operation, Summary
    from pyiceberg.table.update.snapshot import _MergeAppendFiles, _OverwriteFiles

    class Replace:
        def _summary(self, *arguments: Any, **named: Any) -> Any:
            found = super()._summary(*arguments, **named)  # type: ignore[misc]
            return Summary(operation=Operation.REPLACE, **found.additional_properties)

    class ReplaceFiles(Replace, _OverwriteFiles):  # type: ignore[misc]
        """Old files out, new files in."""

    class MergeManifests(Replace, _MergeAppendFiles):  # type: ignore[misc]
        """No file in or out; manifests are merged up to their target size."""

    return ReplaceFiles, MergeManifests
