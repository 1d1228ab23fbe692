"""How a schema may change, and how the source's differs from what a run expects of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from dativo_provider.vocabulary import SchemaChange, SchemaPolicy

__all__ = ["ColumnDrift", "SchemaPolicies", "sentences"]

Kinds = Mapping[SchemaChange, SchemaPolicy]


@dataclass(frozen=True)
class SchemaPolicies:
    """What was written: by kind of change for every column, and for single columns."""

    kinds: Kinds = field(default_factory=dict)
    columns: Mapping[str, Kinds] = field(default_factory=dict)

    def of(self, change: SchemaChange, column: str, default: SchemaPolicy) -> SchemaPolicy:
        """A part of a column (`address.zip`) follows its column."""
        own = self.columns.get(column.partition(".")[0], {})
        return own.get(change) or self.kinds.get(change) or default

    def over(self, below: Self) -> Self:
        """Both; this one's words win, and a word about a single column wins over one about all."""
        names = [*below.columns, *(name for name in self.columns if name not in below.columns)]
        columns = {name: {**below.columns.get(name, {}), **self.columns.get(name, {})} for name in names}
        return type(self)({**below.kinds, **self.kinds}, columns)


@dataclass(frozen=True)
class ColumnDrift:
    """One difference between the source and the contract (or, without one, the table), and the policy that met it.

    `before` is the type expected, `after` the source's; one of them is empty where a side has no such column.
    """

    column: str
    change: SchemaChange
    policy: SchemaPolicy
    before: str = ""
    after: str = ""
    where: str = ""  # file:line of the contract
    advice: str = ""


_SAYS: Mapping[tuple[SchemaChange, SchemaPolicy], str] = {
    ("new_column", "evolve"): "added to the table",
    ("new_column", "discard_value"): "left out",
    ("new_column", "discard_row"): "rows with a value in it go to the quarantine",
    ("missing_column", "evolve"): "NULL in new rows",
    ("missing_column", "discard_value"): "NULL in new rows",
    ("missing_column", "discard_row"): "rows without it go to the quarantine",
    ("other_type", "evolve"): "the column follows where no value is lost",
    ("other_type", "freeze"): "refused",
    ("other_type", "discard_row"): "rows whose value does not fit go to the quarantine",
    ("other_type", "discard_value"): "a value that does not fit becomes NULL",
}
_WHAT: Mapping[SchemaChange, str] = {
    "new_column": "unknown to the contract",
    "missing_column": "gone from the source",
    "other_type": "of another type in the source",
    "nullability": "with or without NULL unlike the source",
}


def sentences(drift: Iterable[ColumnDrift]) -> Iterator[str]:
    """One for each kind of change and policy, with its columns."""
    groups: dict[tuple[SchemaChange, SchemaPolicy], list[ColumnDrift]] = {}
    for each in drift:
        groups.setdefault((each.change, each.policy), []).append(each)
    for (change, policy), found in groups.items():
        names = ", ".join(_named(each) for each in found)
        yield f"schema: {_WHAT[change]} ({_SAYS.get((change, policy), policy)}): {names}"


def _named(each: ColumnDrift) -> str:
    if each.before and each.after:
        return f"{each.column} ({each.before}, now {each.after})"
    return f"{each.column} ({each.after or each.before})"
