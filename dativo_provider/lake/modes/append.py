"""append: the run's rows are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dativo_provider.lake.datafile import data_files
from dativo_provider.lake.modes.base import Counts, Effect, Mode

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Append"]


class Append(Mode):
    def effect(self, table: Table) -> Effect:
        return Effect(data_files(table, self._work.data), counts=Counts(inserted=self._work.rows))
