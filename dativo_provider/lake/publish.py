"""publish: main commit first, quarantine second, both once per plan id (ARCHITECTURE 4.3-4.6)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from dativo_provider.errors import DataError, Fenced, InternalError
from dativo_provider.files import FileStore
from dativo_provider.lake.commit import Change, Outcome, commit
from dativo_provider.lake.crypt import sealed
from dativo_provider.lake.datafile import check_present, run_folder
from dativo_provider.lake.lanes import fence_lanes
from dativo_provider.lake.modes.base import Counts, Work, rows_of
from dativo_provider.lake.modes.registry import check_alone, check_key, open_mode
from dativo_provider.lake.owner import check_owner
from dativo_provider.lake.pending import finish_pending, write_pending
from dativo_provider.lake.state import lane_of, read_state, summary_of, write_state
from dativo_provider.lake.tags import tag_properties
from dativo_provider.model.run import Manifest, Plan, Published, State
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["Publication"]


class Publication:
    """One plan's way into its table."""

    def __init__(
        self,
        catalog: Catalog,
        files: FileStore,
        settings: Settings,
        plan: Plan,
        manifests: Sequence[Manifest],
        cursor: Cursor | None,
    ) -> None:
        self._catalog, self._files, self._plan, self._cursor = catalog, files, plan, cursor
        _check_manifests(plan, manifests)
        self._data = [file for manifest in manifests for file in manifest.files]
        self._quarantine = [file for manifest in manifests for file in manifest.quarantine]
        self._marks = [file for manifest in manifests for file in manifest.marks]
        self._extracted = sum(manifest.books.extracted for manifest in manifests)
        unread = sum(manifest.unread for manifest in manifests)
        self._mode = open_mode(Work(plan, self._data, self._marks, files, settings, unread))

    def run(self) -> Published:
        """Raises `Fenced`, `StorageUnavailable`, `ConfigurationError` or `ContractViolation`."""
        started, committed = time.monotonic(), False
        try:
            outcome = commit(self._catalog, self._plan.table, self._done, self._change)
            committed = outcome.ours
        finally:
            self._mode.close(committed=committed)
        self._finish(self._state(outcome.table), outcome.table)
        return self._published(outcome, time.monotonic() - started)

    def _state(self, table: Table) -> State:
        return read_state(table.properties, self._plan.state_key, self._files, self._plan.table)

    def _done(self, table: Table) -> bool:
        check_owner(table, self._plan.job.tenant)
        state = self._state(table)
        if self._plan.plan_id in state.runs:
            return True
        if state.seq != self._plan.base.seq:
            last = state.runs[-1] if state.runs else "another writer"
            raise Fenced(
                f"this stream has moved since the plan (from {self._plan.base.seq} to {state.seq}, by {last})",
                where=f"{self._plan.table} {self._plan.state_key}",
                remedy="start a new run: its plan begins where the other run ended; nothing of this one was published",
            )
        fence_lanes(self._plan, table.properties, self._files)
        return False

    def _change(self, table: Table) -> Change:
        """Planned on the very handle that commits."""
        before = self._state(table)
        self._finish(before, table)
        check_alone(table.properties, self._plan.job, self._plan.stream, self._plan.table)
        staged = [*self._data, *self._marks]
        check_present(staged, run_folder(self._plan.table_location, self._plan.plan_id), self._files)
        effect = self._mode.effect(table)
        after = before.after(self._plan.plan_id, self._cursor, self._plan.spec.contract.version, self._pending(table))
        after = sealed(after, self._files, self._plan.table, self._plan.state_key)
        properties = self._properties(table, after)
        return Change(
            added=effect.added,
            removed=effect.removed,
            summary=self._summary(properties[self._plan.state_key], effect.counts),
            properties=properties,
        )

    def _pending(self, table: Table) -> str:
        if not self._quarantine:
            return ""
        folder = run_folder(self._plan.quarantine_location, self._plan.plan_id)
        check_present(self._quarantine, folder, self._files)
        return write_pending(self._plan, str(table.metadata.table_uuid), self._quarantine, self._files)

    def _finish(self, state: State, table: Table) -> None:
        if state.pending:
            finish_pending(state.pending, str(table.metadata.table_uuid), self._catalog, self._files)

    def _summary(self, record: str, counts: Counts) -> Mapping[str, str]:
        plan = self._plan
        rows = {"extracted": self._extracted, "accepted": rows_of(self._data), **asdict(counts)}
        return {
            "dativo.run": plan.plan_id,
            "dativo.run-id": plan.run_id,
            "dativo.job": f"{plan.job.tenant}/{plan.job.id}/{plan.stream}",
            "dativo.contract": plan.spec.contract.name,
            "dativo.contract_version": plan.spec.contract.version,
            "dativo.quarantined": str(rows_of(self._quarantine)),
            "dativo.lane": lane_of(plan.state_key),
            "dativo.state": summary_of(record),
            **{f"dativo.{name}": str(count) for name, count in rows.items()},
        }

    def _properties(self, table: Table, after: State) -> Mapping[str, str]:
        """The lane's new record, and the tags that are not there yet."""
        plan = self._plan
        before = table.properties.get(plan.state_key)
        record = write_state(after, plan.plan_id, plan.table_location, self._files, before)
        tags = {"dativo.tenant": plan.job.tenant, **tag_properties(plan.spec.contract, plan.fields)}
        missing = {key: value for key, value in tags.items() if table.properties.get(key) != value}
        return {plan.state_key: record, **missing}

    def _published(self, outcome: Outcome, seconds: float) -> Published:
        """Counted as the snapshot says, so that who comes second tells the same."""
        table = outcome.table
        snapshot = _snapshot_of(table, self._plan.plan_id)
        return Published(
            outcome="committed" if outcome.ours else "already",
            snapshot_id=snapshot.snapshot_id if snapshot else None,
            **asdict(_counts(snapshot)),
            quarantined=rows_of(self._quarantine),
            table=self._plan.table,
            metadata_location=table.metadata_location,
            seconds=seconds,
        )


def _check_manifests(plan: Plan, manifests: Sequence[Manifest]) -> None:
    check_key(plan.job, plan.spec, plan.table)
    if plan.request.dry_run or plan.request.limit is not None:
        raise InternalError("a dry run or a limited run was about to be published", where=plan.folder)
    if foreign := [manifest.plan_id for manifest in manifests if manifest.plan_id != plan.plan_id]:
        raise InternalError(f"manifests of other plans: {', '.join(foreign)}", where=plan.folder)
    slices = [manifest.slice for manifest in manifests]
    if len(set(slices)) != len(slices):
        raise InternalError(f"several manifests for one slice: {slices}", where=plan.folder)
    if open_ended := [manifest.slice for manifest in manifests if not manifest.read.complete]:
        raise DataError(
            f"slices {open_ended} were not read to their end", where=plan.folder, remedy="run the extract tasks again"
        )


def _snapshot_of(table: Table, plan_id: str) -> Snapshot | None:
    """None when the snapshot has been expired since."""
    for snapshot in reversed(table.metadata.snapshots):
        if snapshot.summary is not None and snapshot.summary.get("dativo.run") == plan_id:
            return snapshot
    return None


def _counts(snapshot: Snapshot | None) -> Counts:
    said = snapshot.summary if snapshot and snapshot.summary else {}
    return Counts(**{each.name: int(said.get(f"dativo.{each.name}") or 0) for each in fields(Counts)})
