"""What every write mode is: staged files and the table as it stands, turned into files in and files out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dativo_provider.files import FileStore
from dativo_provider.model.run import Plan, StagedFile
from dativo_provider.model.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

__all__ = ["Counts", "Effect", "Mode", "Work", "rows_of"]


@dataclass(frozen=True)
class Counts:
    """Rows of the table: it grows by `inserted` - `deleted`. `ignored` rows of the run were older than the table's."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    ignored: int = 0


@dataclass(frozen=True)
class Effect:
    """What one commit does to the table's data files."""

    added: Sequence[DataFile] = ()
    removed: Sequence[DataFile] = ()
    counts: Counts = Counts()


@dataclass(frozen=True)
class Work:
    """What a run brings."""

    plan: Plan
    data: Sequence[StagedFile]
    marks: Sequence[StagedFile]
    files: FileStore
    settings: Settings
    unread: int = 0  # source rows whose key is unknown: none of the table's rows can be called missing

    @property
    def rows(self) -> int:
        return rows_of(self.data)


class Mode(ABC):
    """Lives as long as one publish: what one attempt to commit has worked out may serve the next."""

    def __init__(self, work: Work) -> None:
        self._work, self._plan = work, work.plan

    @abstractmethod
    def effect(self, table: Table) -> Effect:
        """Planned on `table`, the very handle that commits; every file it takes away is live there.

        Raises `ContractViolation` or `ConfigurationError` when that would take away what it must not.
        """

    def close(self, *, committed: bool) -> None:  # noqa: B027 - most modes write nothing of their own
        """The publish is over; `committed`: the last effect has landed."""


def rows_of(files: Sequence[StagedFile]) -> int:
    return sum(file.rows for file in files)
