"""Which rows a slice reads, as SQL: the job's own condition, the window's, and the range of a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dativo_provider.connectors.database.cursors import CursorColumn
from dativo_provider.connectors.database.relation import Relation
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Slice

__all__ = ["Conditions", "KeyRange"]

R = TypeVar("R", bound=Relation[Any])


@dataclass(frozen=True)
class KeyRange:
    """`lo <= key < hi`, the column and its bounds as SQL; an open end is None. NULL is in the first."""

    column: str
    lo: str | None = None
    hi: str | None = None

    def condition(self) -> str:
        below = None if self.hi is None else f"{self.column} < {self.hi}"
        if self.lo is not None:
            return " and ".join([f"{self.column} >= {self.lo}", *([below] if below else [])])
        return f"({below} or {self.column} is null)" if below else "true"


@dataclass(frozen=True)
class Conditions(Generic[R]):
    """`expression` fences the job's `where` in; `cursor` gives a relation's column as cursor."""

    expression: Callable[[str], str]
    cursor: Callable[[R, str], CursorColumn]

    def of(self, stream: StreamSpec, piece: Slice, relation: R) -> str:
        conditions = [self.expression(stream.where)] if stream.where else []
        window: dict[str, Any] = piece.spec.get("window") or {}
        if window:
            cursor = self.cursor(relation, window["column"])
            conditions.append(cursor.condition(window["lo"], window["hi"], window["unplaced"]))
        if piece.spec.get("range"):
            conditions.append(f"({KeyRange(**piece.spec['range']).condition()})")
        return " and ".join(conditions) or "true"
