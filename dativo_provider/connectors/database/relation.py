"""What a database says about a table, view or query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, Protocol, TypeVar

from dativo_provider.errors import SourceChanged
from dativo_provider.model.stream import Field, Stream

__all__ = ["Column", "Relation", "hint", "no_relation"]


class Column(Protocol):
    """A column as it will be read; `source_type` is the database's own word."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def source_type(self) -> str: ...
    @property
    def field(self) -> Field: ...


C = TypeVar("C", bound=Column, covariant=True)


@dataclass(frozen=True)
class Relation(Generic[C]):
    """What a stream reads. Dialects add what only they know."""

    label: str
    source: str  # what stands behind FROM
    columns: tuple[C, ...]
    key: tuple[str, ...] = ()
    description: str = ""
    rows: int | None = None
    bytes: int | None = None

    def column(self, name: str) -> C | None:
        return next((column for column in self.columns if column.name == name), None)

    def stream(self, name: str) -> Stream:
        fields = tuple(column.field for column in self.columns)
        return Stream(name, fields, self.key, self.description, self.rows, self.bytes)

    def only(self, names: tuple[str, ...]) -> tuple[C, ...]:
        """The named columns, in that order; all when none is named. Raises `SourceChanged`."""
        found = [(name, self.column(name)) for name in names]
        missing = [name for name, column in found if column is None]
        if missing:
            have = [column.name for column in self.columns]
            raise SourceChanged(
                f"{self.label} has no column {', '.join(missing)} (has: {', '.join(have)})",
                where=self.label,
                remedy=hint(missing[0], have) or "correct `columns` of the stream, or restore the column",
            )
        return tuple(column for _, column in found if column) or self.columns


def hint(name: str, known: Sequence[str], full: dict[str, str] | None = None) -> str:
    """`did you mean ...?`, or nothing; `full` says how a known name is shown."""
    near = get_close_matches(name, known, 1, 0.6)
    return f"did you mean '{(full or {}).get(near[0], near[0])}'?" if near else ""


def no_relation(name: str, listed: Sequence[tuple[str, str]], grant: str) -> SourceChanged:
    """That there is no `name`; `listed` is what there is, each by its bare name and as a job writes it, and `grant` is
    what a user needs to see a table."""
    names = [shown for _, shown in listed]
    bare = dict(reversed(listed))
    near = hint(name, names) or hint(name.rpartition(".")[2], list(bare), bare)
    known = ", ".join(names[:20]) + (", …" if len(names) > 20 else "") if names else "none that this user may read"
    return SourceChanged(
        f"there is no table or view {name} (there are: {known})",
        where=name,
        remedy=near or f"correct `tables[].name`, or grant this user {grant}",
    )
