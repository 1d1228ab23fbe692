"""Cursor values: text in ISO or decimal form, never a float; half-open ranges over them.

A cursor is an instant, a wall-clock time, a date or a whole number. Text and UUIDs are refused: nothing says that
what is inserted later sorts later.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import ClassVar
from zoneinfo import ZoneInfo

from dativo_provider.connectors.database.relation import C, Column, Relation
from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.stream import Cursor

__all__ = ["CursorColumn", "orders_rows"]

_MOMENTS = ("timestamptz", "timestamp", "date")
_WHOLE = re.compile(r"int|long|decimal\(\d+,0\)")


@dataclass(frozen=True)
class CursorColumn(ABC):
    """A column that orders the rows of `relation`, and what can be said about its values."""

    strange: ClassVar[str]  # what a value without a place among the others is called

    relation: Relation[Column]
    column: Column

    @property
    @abstractmethod
    def quoted(self) -> str:
        """Its name in SQL."""

    @property
    @abstractmethod
    def unplaced(self) -> str:
        """A condition in SQL: rows that no increment will ever reach."""

    @abstractmethod
    def sql(self, value: str) -> str:
        """`value` as a literal of the column's type."""

    def step(self) -> timedelta:
        """Between two neighbouring moments of the column."""
        return timedelta(days=1) if self.type == "date" else timedelta(microseconds=1)

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def type(self) -> str:
        return self.column.type

    @property
    def is_moment(self) -> bool:
        return self.type in _MOMENTS

    def canonical(self, text: str) -> str:
        """What the database printed, as we keep it. Raises `DataError` for what is outside the years 1 to 9999."""
        if not self.is_moment:
            return str(int(text))
        try:
            if self.type == "date":
                return date.fromisoformat(text).isoformat()
            return datetime.fromisoformat(text).isoformat(timespec="microseconds")
        except ValueError:
            raise DataError(
                f"the newest {self.name} of {self.relation.label} lies outside the years 1 to 9999",
                where=self.relation.label,
                remedy="correct these rows, or exclude them with `where`",
            ) from None

    def after(self, value: str) -> str:
        """The smallest value above `value`."""
        if not self.is_moment:
            return str(int(value) + 1)
        if self.type == "date":
            return (date.fromisoformat(value) + self.step()).isoformat()
        return (datetime.fromisoformat(value) + self.step()).isoformat(timespec="microseconds")

    def least(self, *values: str | None) -> str | None:
        present = [value for value in values if value is not None]
        return min(present, key=self._order) if present else None

    def greatest(self, *values: str | None) -> str | None:
        present = [value for value in values if value is not None]
        return max(present, key=self._order) if present else None

    def _order(self, value: str) -> int | datetime:
        return datetime.fromisoformat(value) if self.is_moment else int(value)

    def before(self, value: str, seconds: int) -> str:
        """`value` less the lookback. Dates go back by whole days, rounded up."""
        if not seconds:
            return value
        if not self.is_moment:
            raise ConfigurationError(
                f"lookback is a span of time, and cursor '{self.name}' of {self.relation.label} is a number",
                remedy="remove the lookback, or take a timestamp column as cursor_field",
            )
        if self.type == "date":
            return (date.fromisoformat(value) - timedelta(days=-(-seconds // 86400))).isoformat()
        return (datetime.fromisoformat(value) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")

    def given(self, text: str, timezone: str) -> str:
        """A bound that a person or a schedule wrote: ISO, or a number. Zones are honoured, never dropped."""
        try:
            if not self.is_moment:
                return str(int(text))
            return self._moment(datetime.fromisoformat(text.strip()), ZoneInfo(timezone or "UTC"))
        except (ValueError, KeyError):
            raise ConfigurationError(
                f"'{text}' is no bound for cursor '{self.name}', which is of type {self.type}",
                remedy="write a number" if not self.is_moment else "write an ISO date or timestamp",
            ) from None

    def _moment(self, moment: datetime, zone: ZoneInfo) -> str:
        if self.type == "timestamptz":
            aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            return aware.astimezone(UTC).isoformat(timespec="microseconds")
        wall = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
        if self.type == "timestamp":
            return wall.isoformat(timespec="microseconds")
        # half-open ranges of instants hold exactly the days that begin in them
        begun = wall if wall == datetime(wall.year, wall.month, wall.day) else wall + timedelta(days=1)
        return begun.date().isoformat()

    def position(self, value: str) -> Cursor:
        return Cursor({"column": self.name, "type": self.type, "value": value})

    def committed(self, cursor: Cursor) -> str:
        """The value of a committed cursor. Raises `ConfigurationError` when it is of another column or kind."""
        column, kind, value = (str(cursor.value.get(key, "")) for key in ("column", "type", "value"))
        same_kind = kind == self.type or bool(_WHOLE.fullmatch(kind) and not self.is_moment)
        if column != self.name or not same_kind or not value:
            raise ConfigurationError(
                f"the last run ended at {column or '?'} ({kind or '?'}), "
                f"but the cursor of {self.relation.label} is now {self.name} ({self.type})",
                remedy="run once with --full-refresh, or set cursor_field back",
            )
        return value

    def condition(self, lo: str | None, hi: str | None, unplaced: bool) -> str:
        """`lo <= cursor < hi`; with `unplaced` also the rows whose cursor is NULL or infinite."""
        bounds = [f"{self.quoted} >= {self.sql(lo)}"] if lo is not None else []
        bounds += [f"{self.quoted} < {self.sql(hi)}"] if hi is not None else []
        if unplaced:
            return f"({' and '.join(bounds)} or {self.unplaced})" if bounds else self.unplaced
        return f"({' and '.join([*bounds, f'not {self.unplaced}'])})"


def orders_rows(relation: Relation[C], name: str) -> C:
    """The column of that name. Raises `ConfigurationError` when there is none, or it cannot order rows."""
    column = relation.column(name)
    fit = [each.name for each in relation.columns if each.type in _MOMENTS or _WHOLE.fullmatch(each.type)]
    if column is None:
        near = get_close_matches(name, [each.name for each in relation.columns], 1)
        raise ConfigurationError(
            f"cursor_field '{name}' is not a column of {relation.label} "
            f"(has: {', '.join(each.name for each in relation.columns)})",
            where=relation.label,
            remedy=f"did you mean '{near[0]}'?" if near else f"take one of: {', '.join(fit) or 'none fits'}",
        )
    if name not in fit:
        raise ConfigurationError(
            f"cursor_field '{name}' of {relation.label} is of type {column.source_type}: "
            "it does not say which rows came later",
            where=relation.label,
            remedy=f"take a timestamp, date or whole number ({', '.join(fit) or 'this table has none'}), "
            "or load the table in full",
        )
    return column
