"""Publishing in two acts (`publish: branch`): a run's commit goes to a branch of its own, an approval moves main there.

The branch `audit_<plan id>` begins at main's head and holds one snapshot: the run's files, with the lane's state in
its summary only. Approving moves main forward to it, sets the state property and removes the branch in one
compare-and-set. PyIceberg moves a reference wherever it is told, so that main is still where the branch began is
checked here: else the commits made meanwhile would be dropped unseen. Where main has moved, a run that only adds rows
is put on top of it, and so is any run when main's files were merely rewritten; every other approval is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, Fenced
from dativo_provider.files import FileStore
from dativo_provider.lake.commit import Change, Outcome, Ref, commit
from dativo_provider.lake.history import LANE, OPERATION, PENDING, STATE, ancestors, said
from dativo_provider.lake.publish import Publication
from dativo_provider.lake.refs import AUDIT, MAIN, main_head
from dativo_provider.lake.state import lane_of, read_state, summary_of, write_state
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Manifest, Plan, Published
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["Approval", "Waiting", "publication", "reject", "waiting"]


APPROVES = "dativo.approves"


def publication(
    catalog: Catalog,
    files: FileStore,
    settings: Settings,
    plan: Plan,
    manifests: Sequence[Manifest],
    cursor: Cursor | None,
) -> Publication:
    """The job's way: to main, or to a branch. A run that changes no row has nothing to approve."""
    target = plan.job.target
    changes = TRAITS[target.mode].reads_all or target.delete_missing or any(m.files or m.marks for m in manifests)
    kind = Waiting if target.publish == "branch" and changes else Publication
    return kind(catalog, files, settings, plan, manifests, cursor)


def branch_of(plan: Plan) -> str:
    return AUDIT + plan.plan_id


def waiting(table: Table, ours: Callable[[str], bool]) -> str:
    """The plan id of a run whose lane is `ours` and that waits for its approval; empty when none does."""
    for name, ref in table.metadata.refs.items():
        snapshot = table.metadata.snapshot_by_id(ref.snapshot_id) if name.startswith(AUDIT) else None
        if snapshot is not None and ours(said(snapshot).get(LANE, "")):
            return str(name).removeprefix(AUDIT)
    return ""


class Waiting(Publication):
    """The first act."""

    def run(self) -> Published:
        """A table without any snapshot has no main to branch from: it gets an empty one first."""
        begin = Change(summary={OPERATION: "begin"})
        commit(self._catalog, self._plan.table, lambda table: main_head(table) is not None, lambda _table: begin)
        return super().run()

    def _done(self, table: Table) -> bool:
        return branch_of(self._plan) in table.metadata.refs or super()._done(table)

    def _change(self, table: Table) -> Change:
        made, head = super()._change(table), main_head(table)
        assert head is not None  # `run` saw to it, and nothing takes main away
        begin = Ref("branch", head)
        summary = {**made.summary, PENDING: self._pending(table)}
        name = branch_of(self._plan)
        return replace(made, summary=summary, properties={}, refs={name: begin}, branch=name)

    def _published(self, outcome: Outcome, seconds: float) -> Published:
        made = super()._published(outcome, seconds)
        return replace(made, outcome="waiting") if branch_of(self._plan) in outcome.table.metadata.refs else made


class Approval(Publication):
    """The second act. The snapshot it puts on top of the run's says that it was approved."""

    def _change(self, table: Table) -> Change:
        name = branch_of(self._plan)
        head = _branch_head(table, self._plan)
        if main_head(table) == _began_at(table, head, self._plan):
            return self._forward(table, name, head)
        self._check_again(table, name, head)
        made = super()._change(table)
        return replace(made, summary={**made.summary, APPROVES: self._plan.plan_id}, refs={name: None})

    def _forward(self, table: Table, name: str, head: int) -> Change:
        before = self._state(table)
        self._finish(before, table)
        after = before.after(self._plan.plan_id, self._cursor, self._plan.spec.contract.version, self._pending(table))
        properties = self._properties(table, after)
        summary = {
            OPERATION: "approve",
            APPROVES: self._plan.plan_id,
            LANE: lane_of(self._plan.state_key),
            STATE: summary_of(properties[self._plan.state_key]),
        }
        return Change(summary=summary, properties=properties, refs={MAIN: Ref("branch", head), name: None})

    def _check_again(self, table: Table, name: str, head: int) -> None:
        """Whether the run may be put on top of what main has become, and be the same rows that were looked at."""
        if not _is_of(table.metadata.snapshot_by_id(head), self._plan):
            raise self._refused(name, "the branch has commits of others, and main has moved since it was made")
        if not TRAITS[self._plan.job.target.mode].adds and not _only_rewritten(table, head):
            raise self._refused(name, "main has moved since this run was put on its branch: others have committed")

    def _refused(self, name: str, what: str) -> Fenced:
        return Fenced(
            what,
            where=f"{self._plan.table} {name}",
            remedy=f"dativo reject --run {self._plan.plan_id}, then start a new run; nothing was published",
        )


def _is_of(snapshot: Snapshot | None, plan: Plan) -> bool:
    return snapshot is not None and said(snapshot).get("dativo.run") == plan.plan_id


def _began_at(table: Table, head: int, plan: Plan) -> int | None:
    """Where main was when the run was put on its branch; None when another engine has expired that."""
    made = next((each for each in ancestors(table.metadata, head) if _is_of(each, plan)), None)
    return made.parent_snapshot_id if made else None


def _only_rewritten(table: Table, head: int) -> bool:
    """Whether all that main has gained since are other files with the same rows."""
    from pyiceberg.table.snapshots import Operation

    past = {snapshot.snapshot_id for snapshot in ancestors(table.metadata, head)}
    for snapshot in ancestors(table.metadata, main_head(table)):
        if snapshot.snapshot_id in past:
            return bool(snapshot.snapshot_id != main_head(table))  # else main was taken back, by another engine
        if snapshot.summary is None or snapshot.summary.operation != Operation.REPLACE:
            return False
    return False  # what came before has expired


def reject(catalog: Catalog, files: FileStore, plan: Plan) -> None:
    """Removes the branch, once. The lane takes a step, so that no twin of the run can put it back.

    Raises `ConfigurationError` when the run does not wait (any more).
    """
    change_id = f"reject-{plan.plan_id}"

    def done(table: Table) -> bool:
        return change_id in read_state(table.properties, plan.state_key, files, plan.table).runs

    def change(table: Table) -> Change:
        _branch_head(table, plan)
        before = read_state(table.properties, plan.state_key, files, plan.table)
        text = table.properties.get(plan.state_key)
        record = write_state(before.step(change_id), change_id, table.location(), files, text)
        summary = {OPERATION: "reject", LANE: lane_of(plan.state_key), STATE: summary_of(record)}
        return Change(summary=summary, properties={plan.state_key: record}, refs={branch_of(plan): None})

    commit(catalog, plan.table, done, change)


def _branch_head(table: Table, plan: Plan) -> int:
    ref = table.metadata.refs.get(branch_of(plan))
    if ref is None:
        raise ConfigurationError(
            f"run {plan.plan_id} does not wait for an approval",
            where=plan.table,
            remedy="see `dativo snapshots`: it was approved or rejected before, or never got that far",
        )
    return int(ref.snapshot_id)
