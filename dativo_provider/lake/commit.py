"""The one path by which anything becomes visible: compare-and-set of a table's snapshot and properties.

A commit may land and still be reported as failed (a lost response, a retried request). So the outcome is
never taken from the call: after any trouble the table is loaded again and its own record decides.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dativo_provider.errors import DativoError, InternalError, StorageUnavailable
from dativo_provider.lake.translate import is_transient, translated

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table, Transaction

__all__ = ["Change", "Outcome", "Ref", "commit", "guard", "load"]

ATTEMPTS = 20
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Ref:
    """A name for a snapshot: a tag stays, a branch moves with its commits."""

    kind: Literal["branch", "tag"]
    snapshot_id: int


@dataclass(frozen=True)
class Change:
    """What one commit does: files in, files out, what the snapshot says about itself, properties to set.

    `update` makes the table update out of a transaction and this change where appending and overwriting do not do.
    `refs` are set (None: removed) before the snapshot is added to `branch`, in the same transaction; of several only
    the first is compared with what the catalog has. `snapshot=False`: the refs and properties alone.
    """

    added: Sequence[DataFile] = ()
    removed: Sequence[DataFile] = ()
    summary: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    update: Callable[[Transaction, Change], Any] | None = None
    refs: Mapping[str, Ref | None] = field(default_factory=dict)
    branch: str = "main"
    snapshot: bool = True


@dataclass(frozen=True)
class Outcome:
    """`ours`: a commit of this call landed; else the record was there before."""

    table: Table
    ours: bool


def load(catalog: Catalog, name: str) -> Table:
    with translated(name):
        return catalog.load_table(name)


def commit(catalog: Catalog, name: str, done: Callable[[Table], bool], plan: Callable[[Table], Change]) -> Outcome:
    """Commits `plan(table)` unless `done(table)`, racing writers and lost responses included.

    Both see a freshly loaded table, and a commit lands only on exactly that snapshot; `done` and `plan` may
    raise to give up (`Fenced`). Raises `StorageUnavailable` when the outcome stays unknown.
    """
    problem: Exception | None = None
    tried: set[int] = set()
    for attempt in range(ATTEMPTS):
        table = load(catalog, name)
        if done(table):
            return Outcome(table, _landed(table, tried))
        if problem is not None and not is_transient(problem):
            raise _unexpected(problem, name)
        change = plan(table)
        try:
            return Outcome(_commit_once(table, change, tried), ours=True)
        except DativoError:
            raise
        except Exception as failure:
            problem = failure
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE, 0.05 * 2**attempt)))
    table = load(catalog, name)
    if done(table):
        return Outcome(table, _landed(table, tried))
    raise StorageUnavailable(
        f"{ATTEMPTS} attempts to commit did not land ({type(problem).__name__}: {problem})",
        where=name,
        remedy="run this step again: it continues where it stopped and never publishes twice",
    ) from problem


def _landed(table: Table, tried: set[int]) -> bool:
    return any(table.metadata.snapshot_by_id(snapshot) is not None for snapshot in tried)


def _commit_once(table: Table, change: Change, tried: set[int]) -> Table:
    guard(table)
    transaction = table.transaction()
    for name, ref in change.refs.items():
        _set_ref(transaction, name, ref)
    if change.snapshot:
        _update(transaction, change, tried)
    if change.properties:
        transaction.set_properties(dict(change.properties))
    return transaction.commit_transaction()


def _update(transaction: Transaction, change: Change, tried: set[int]) -> None:
    producer = (change.update or _snapshot)(transaction, change)
    for file in change.removed:
        producer.delete_data_file(file)
    for file in change.added:
        producer.append_data_file(file)
    tried.add(getattr(producer, "snapshot_id", 0))  # an update of the metadata alone makes no snapshot
    producer.commit()  # explicitly: 0.11 commits a half-filled producer when its `with` block raises


def _snapshot(transaction: Transaction, change: Change) -> Any:
    """An empty append too: without a new snapshot there would be nothing to compare and set."""
    update = transaction.update_snapshot(snapshot_properties=dict(change.summary), branch=change.branch)
    return update.overwrite() if change.removed else update.fast_append()


def _set_ref(transaction: Transaction, name: str, ref: Ref | None) -> None:
    """By the library's own updates: `set_current_snapshot` and `create_branch` differ between its versions."""
    from pyiceberg.table.update import AssertRefSnapshotId, RemoveSnapshotRefUpdate, SetSnapshotRefUpdate

    known = transaction.table_metadata.refs.get(name)
    update: Any = RemoveSnapshotRefUpdate(ref_name=name)
    if ref is not None:
        update = SetSnapshotRefUpdate(ref_name=name, type=ref.kind, snapshot_id=ref.snapshot_id)
    assertion = AssertRefSnapshotId(ref=name, snapshot_id=known.snapshot_id if known else None)
    transaction._apply((update,), (assertion,))


def guard(table: Table) -> None:
    """Makes this handle's commit a plain compare-and-set that never cleans up after itself.

    PyIceberg would rebase a stale append by itself, which defeats the fence. And 0.12 deletes the manifests of
    a commit it believes failed, although it may have landed, which would destroy the table.
    """
    table.metadata.properties["commit.retry.num-retries"] = "0"
    table.io.delete = lambda _location: None  # type: ignore[method-assign]


def _unexpected(problem: Exception, name: str) -> DativoError:
    return InternalError(
        f"the commit failed in a way that trying again cannot help: {type(problem).__name__}: {problem}",
        where=name,
        remedy="nothing was published by it; please report this with the run's plan.json",
    )
