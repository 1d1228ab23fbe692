"""Changes of a table's schema: each says itself in words and knows how to be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DataError
from dativo_provider.lake.schema import type_name

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Addition", "Change", "Clash", "Drop", "Order", "Relaxation", "Rename", "Widening", "apply_changes"]

Path = tuple[str, ...]


@dataclass(frozen=True)
class Rename:
    path: Path  # as it is before any change
    to: str

    def __str__(self) -> str:
        return f"rename column {'.'.join(self.path)} to {self.to}"

    def make(self, update: Any) -> None:
        update.rename_column(self.path, self.to)


@dataclass(frozen=True)
class Addition:
    path: Path
    type: Any
    doc: str = ""

    def __str__(self) -> str:
        return f"add column {'.'.join(self.path)} ({type_name(self.type)})"

    def make(self, update: Any) -> None:
        update.add_column(self.path, self.type, doc=self.doc or None)


@dataclass(frozen=True)
class Widening:
    path: Path
    type: Any
    before: str = ""

    def __str__(self) -> str:
        return f"widen column {'.'.join(self.path)} from {self.before} to {type_name(self.type)}"

    def make(self, update: Any) -> None:
        update.update_column(self.path, field_type=self.type)


@dataclass(frozen=True)
class Relaxation:
    path: Path

    def __str__(self) -> str:
        return f"make column {'.'.join(self.path)} optional"

    def make(self, update: Any) -> None:
        update.make_column_optional(self.path)


@dataclass(frozen=True)
class Drop:
    """Leaves the current schema; older snapshots and the files keep it."""

    path: Path

    def __str__(self) -> str:
        return f"drop column {'.'.join(self.path)}"

    def make(self, update: Any) -> None:
        update.delete_column(self.path)


@dataclass(frozen=True)
class Order:
    """From the order `now`, which the changes before this one make, to `names`."""

    now: Path
    names: Path

    @property
    def path(self) -> Path:
        return ()

    def __str__(self) -> str:
        return f"reorder columns: {', '.join(self.names)}"

    def make(self, update: Any) -> None:
        order = list(self.now)
        for at, name in enumerate(self.names):
            if order[at] == name:
                continue
            order.remove(name)
            order.insert(at, name)
            if at:
                update.move_after(name, self.names[at - 1])
            else:
                update.move_first(name)


Change = Rename | Addition | Widening | Relaxation | Drop | Order


@dataclass(frozen=True)
class Clash:
    """A change that would lose data. `where` is the line of the contract."""

    text: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.text} [{self.where}]" if self.where else self.text


def apply_changes(table: Table, changes: Sequence[Change]) -> None:
    """One metadata commit. Raises PyIceberg's `CommitFailedException` when another process changed the schema."""
    renames: list[Change] = [change for change in changes if isinstance(change, Rename)]
    others = [change for change in changes if not isinstance(change, Rename)]
    # Not Table.update_schema() with `with`: 0.11 commits what is half filled when the block raises.
    table.metadata.properties["commit.retry.num-retries"] = "0"
    transaction = table.transaction()
    for stage in [stage for stage in (renames, others) if stage]:
        update = transaction.update_schema()
        try:
            for change in stage:
                change.make(update)
            update.commit()
        except ValueError as problem:
            raise DataError(
                f"the table cannot {'; '.join(map(str, stage))}: {problem}",
                where=".".join(table.name()),
                remedy="change the contract, or publish to a new table",
            ) from problem
    transaction.commit_transaction()
