"""expire: forget snapshots nobody needs any more, then delete the files that only they could reach.

PyIceberg's own expiry removes them from the metadata and leaves every file behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from dativo_provider.files import FileInfo, canonical
from dativo_provider.lake.commit import Change, commit
from dativo_provider.lake.maintain.work import Work, total
from dativo_provider.lake.sweep import YOUNGEST, may_delete, reachable
from dativo_provider.model.maintenance import Amount, Upkeep

if TYPE_CHECKING:
    from pyiceberg.table import Table, Transaction
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["expirable", "run"]

WHAT = "files"
_MAIN = "main"


def run(work: Work) -> Upkeep:
    table = work.load()
    doomed = expirable(table, work)
    if not doomed:
        return work.nothing("expire", WHAT, note=f"snapshots kept: {len(table.metadata.snapshots)}")
    if not work.dry_run:
        work.delete(work.strays())  # while there still is a snapshot that tells what they were
    listed = {canonical(info.uri): info for info in work.files.list(table.location())}
    before = total([info.size for info in listed.values()])
    reached = _all(table)  # once, and not between load and commit: every doomed snapshot is here already
    left = {canonical(uri) for uri in reachable(table, doomed)} if work.dry_run else _all(_forget(work, doomed))
    gone = _listed(reached - left, listed, work)
    if not work.dry_run:
        work.delete(gone)
    after = Amount(before.files - len(gone), before.bytes - sum(info.size for info in gone))
    return work.report("expire", WHAT, before, after, f"snapshots expired: {len(doomed)}")


def _listed(gone: set[str], listed: dict[str, FileInfo], work: Work) -> list[FileInfo]:
    """Only what lies below the table's location, and nothing that was written a moment ago."""
    edge = work.now() - YOUNGEST.total_seconds()
    return [listed[uri] for uri in sorted(gone & listed.keys()) if listed[uri].mtime <= edge]


def _all(table: Table) -> set[str]:
    return {canonical(uri) for uri in reachable(table)}


def _forget(work: Work, doomed: set[int]) -> Table:
    """Expires, whatever happens meanwhile; `doomed` is then what went.

    A process that dies after the commit leaves its files to `orphans`.
    """

    def change(now: Table) -> Change:
        doomed.clear()
        doomed.update(expirable(now, work))
        return Change(update=lambda transaction, _: _expiry()(transaction).by_ids(sorted(doomed)))

    return commit(work.catalog, work.table, lambda now: not expirable(now, work), change).table


def expirable(table: Table, work: Work) -> set[int]:
    """Snapshots older than the retention that are none of main's last ones, of no tag, and on no branch's way
    from main: the approval of a branch walks that way. None where others may need what they hold."""
    if not may_delete(table):
        return set()
    edge = work.before(work.spec.retention_days) * 1000
    main = list(_line(table, _MAIN))
    keep = {ref.snapshot_id for ref in table.metadata.refs.values()}
    keep |= {snapshot.snapshot_id for snapshot in main[: max(1, _kept(table, work))]}
    keep |= {each for name in table.metadata.refs if name != _MAIN for each in _since_fork(table, name, main)}
    return {
        snapshot.snapshot_id
        for snapshot in table.metadata.snapshots
        if snapshot.timestamp_ms < edge and snapshot.snapshot_id not in keep
    }


def _kept(table: Table, work: Work) -> int:
    """A number at the branch itself wins when it is larger."""
    ref = table.metadata.refs.get(_MAIN)
    return max(work.spec.keep_snapshots, (ref.min_snapshots_to_keep or 0) if ref else 0)


def _line(table: Table, name: str) -> Iterator[Snapshot]:
    from pyiceberg.table.snapshots import ancestors_of

    ref = table.metadata.refs.get(name)
    head = table.metadata.snapshot_by_id(ref.snapshot_id) if ref else None
    return iter(ancestors_of(head, table.metadata)) if head else iter(())


def _since_fork(table: Table, name: str, main: list[Snapshot]) -> Iterator[int]:
    from pyiceberg.table.refs import SnapshotRefType

    if table.metadata.refs[name].snapshot_ref_type != SnapshotRefType.BRANCH:
        return
    shared = {snapshot.snapshot_id for snapshot in main}
    line = list(_line(table, name))
    own = list(takewhile(lambda snapshot: snapshot.snapshot_id not in shared, line))
    yield from (snapshot.snapshot_id for snapshot in line[: len(own) + 1])


@cache
def _expiry() -> Any:
    """PyIceberg's update, made a compare-and-set: as it is, a tag made at the same moment would go with its
    snapshot."""
    from pyiceberg.catalog import MetastoreCatalog
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table.update import AssertRefSnapshotId, ValidatableTableRequirement
    from pyiceberg.table.update.snapshot import ExpireSnapshots

    class AssertRefs(ValidatableTableRequirement):  # type: ignore[misc]
        """Checked by catalogs that build the metadata in this process."""

        type: str = "assert-refs"
        refs: dict[str, int]

        def validate(self, base_metadata: Any) -> None:
            if base_metadata is None or self.refs != _refs(base_metadata):
                raise CommitFailedException("Requirement failed: a branch or tag has moved")

    class Expiry(ExpireSnapshots):  # type: ignore[misc]
        def __init__(self, transaction: Transaction) -> None:
            super().__init__(transaction)
            refs = _refs(transaction.table_metadata)
            every = [AssertRefSnapshotId(ref=name, snapshot_id=head) for name, head in refs.items()]
            here = isinstance(transaction._table.catalog, MetastoreCatalog)
            self._requirements = (AssertRefs(refs=refs),) if here else tuple(every)

    return Expiry


def _refs(metadata: Any) -> dict[str, int]:
    return {name: ref.snapshot_id for name, ref in metadata.refs.items()}
