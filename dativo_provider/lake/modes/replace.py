"""replace: the run's rows take the place of everything, in one commit. Readers see the old rows or the new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, ContractViolation
from dativo_provider.lake.datafile import data_files, live_files
from dativo_provider.lake.modes.base import Counts, Effect, Mode

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Replace"]


class Replace(Mode):
    def effect(self, table: Table) -> Effect:
        self._check_lane()
        live = list(live_files(table).values())
        self._check_not_empty(bool(live))
        counts = Counts(self._work.rows, deleted=sum(file.record_count for file in live))
        return Effect(data_files(table, self._work.data), live, counts)

    def _check_lane(self) -> None:
        if self._plan.lane.kind != "live":
            raise ConfigurationError(
                f"a {self._plan.lane.kind} holds a part of the rows and may not replace the table",
                where=self._plan.table,
                remedy="use mode: append for this run, or a full refresh",
            )

    def _check_not_empty(self, has_rows: bool) -> None:
        if has_rows and not self._work.data and not self._plan.job.target.allow_empty_replace:
            raise ContractViolation(
                "the run has no row, and replacing would empty the table",
                where=self._plan.table,
                remedy="check the source; set target.allow_empty_replace: true if that is meant",
            )
