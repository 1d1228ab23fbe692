"""merge: the run's row of a key takes the place of the table's; rows of new keys are added; marked keys are deleted.

Copy on write, in one snapshot. With `order_by` a row that is older than the table's is ignored. With `delete_missing`
a full load deletes the keys it does not bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dativo_provider.lake.modes.base import Counts
from dativo_provider.lake.modes.keyed import FILE, POSITION, ROW, KeyedMode
from dativo_provider.lake.modes.missing import check_share, takes_missing
from dativo_provider.lake.read import staged_rows
from dativo_provider.lake.scratch import quoted
from dativo_provider.model.marks import DELETE, OP
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Merge"]


class Merge(KeyedMode):
    @property
    def everything(self) -> bool:
        return takes_missing(self._work)

    def columns(self) -> Sequence[str]:
        order = self._plan.job.target.order_by
        return list(dict.fromkeys([*self._key, *([order] if order else [])]))

    def decide(self, table: Table) -> tuple[Sequence[StagedFile], Counts]:
        place = f"existing.{FILE}, existing.{POSITION}"
        same = self.same("incoming", "existing")
        self.db.run(f"create or replace table ignored as select distinct incoming.{FILE}, incoming.{POSITION} "
                    f"from incoming join existing on {same} where {self._older()}")  # fmt: skip
        self.db.run(f"insert into gone select distinct {place} from existing join incoming on {same} "
                    f"where incoming.{OP} in ('{ROW}', '{DELETE}') and {self._counts('incoming')}")  # fmt: skip
        if self.everything:
            self._take_missing(table)
        return self._added(table), self._counted()

    def _older(self) -> str:
        """SQL: the table knows better. No order is older than any, but a deletion need not say when it was."""
        order = self._plan.job.target.order_by
        if not order:
            return "false"
        mine, theirs = f"incoming.{quoted(order)}", f"existing.{quoted(order)}"
        unknown = f"({mine} is null and incoming.{OP} <> '{DELETE}')"
        return f"{theirs} is not null and ({unknown} or {mine} < {theirs})"

    def _counts(self, name: str) -> str:
        return (f"not exists (select 1 from ignored where ignored.{FILE} = {name}.{FILE} "
                f"and ignored.{POSITION} = {name}.{POSITION})")  # fmt: skip

    def _take_missing(self, table: Table) -> None:
        before = self.db.count("from gone")
        self.db.run(f"insert into gone select existing.{FILE}, existing.{POSITION} from existing anti join incoming "
                    f"on {self.same('incoming', 'existing')}")  # fmt: skip
        check_share(self._plan, self.db.count("from gone") - before, self.db.count("from existing"))

    def _added(self, table: Table) -> list[StagedFile]:
        """The staged files as they are; without the rows that were older than the table's."""
        found: list[StagedFile] = []
        partly = {path for (path,) in self.db.run(f"select distinct {FILE} from ignored")}
        for file in self._work.data:
            if file.path not in partly:
                found.append(file)
                continue
            rows = staged_rows(table.io, [file], None)
            found.extend(self._rewriter.filtered(table, file.path, rows, self.positions("ignored", file.path)))
        return found

    def _counted(self) -> Counts:
        ignored = self.db.count(f"from ignored where {FILE} in (select {FILE} from incoming where {OP} = '{ROW}')")
        updated = self.db.count(
            f"select distinct incoming.{FILE}, incoming.{POSITION} from incoming join existing "
            f"on {self.same('incoming', 'existing')} where incoming.{OP} = '{ROW}' and {self._counts('incoming')}"
        )
        gone = self.db.count("select distinct * from gone")
        return Counts(self._work.rows - ignored - updated, updated, gone - updated, ignored)
