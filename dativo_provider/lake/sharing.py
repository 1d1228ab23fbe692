"""A table's history is parsed once and never copied: PyIceberg copies all of its metadata for every look at it within
a transaction, about fifteen times a commit, so that a table of a thousand snapshots takes seconds to publish to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["share_history"]

T = TypeVar("T")


class _Shared(list[T]):
    """Entries that nobody changes: deep copies of the list hold the same ones. A longer list is shared as well."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> _Shared[T]:
        return _Shared(self)

    def __add__(self, more: list[Any]) -> _Shared[T]:  # type: ignore[override]
        return _Shared([*self, *more])


def share_history(catalog: Catalog) -> Catalog:
    """`catalog`, whose tables do so from now on, those that it loads for itself to commit included."""
    load = type(catalog).load_table
    catalog.load_table = lambda identifier: _sharing(load(catalog, identifier))  # type: ignore[method-assign]
    return catalog


def _sharing(table: Table) -> Table:
    """Snapshots and logs are records of what was, which nothing changes."""
    metadata = table.metadata
    history = {name: _Shared(getattr(metadata, name)) for name in ("snapshots", "snapshot_log", "metadata_log")}
    table.metadata = metadata.model_copy(update=history)
    return table
