"""A MySQL column as cursor: its literals, and the values that no range holds."""

from __future__ import annotations

from datetime import timedelta

from dativo_provider.connectors.database.cursors import CursorColumn, orders_rows
from dativo_provider.connectors.mysql.relations import Relation
from dativo_provider.connectors.mysql.sql import identifier
from dativo_provider.connectors.mysql.types import Column

__all__ = ["MysqlCursor", "cursor_column"]

_FIRST = "0001-01-01"


class MysqlCursor(CursorColumn):
    strange = "zero"

    relation: Relation
    column: Column

    @property
    def quoted(self) -> str:
        return identifier(self.name)

    @property
    def unplaced(self) -> str:
        zero = f" or {self.quoted} < date'{_FIRST}'" if self.is_moment else ""
        return f"({self.quoted} is null{zero})"

    def sql(self, value: str) -> str:
        if not self.is_moment:
            return str(int(value))
        text = value.replace("T", " ").removesuffix("+00:00")
        return f"date'{text}'" if self.type == "date" else f"timestamp'{text}'"

    def step(self) -> timedelta:
        return self.column.step

    def canonical(self, text: str) -> str:
        """MySQL writes moments with zone in the session's, which is UTC."""
        return super().canonical(f"{text}+00:00" if self.type == "timestamptz" else text)


def cursor_column(relation: Relation, name: str) -> MysqlCursor:
    """Raises `ConfigurationError` when there is no such column, or it cannot order rows."""
    return MysqlCursor(relation, orders_rows(relation, name))
