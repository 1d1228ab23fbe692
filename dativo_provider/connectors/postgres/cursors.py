"""A PostgreSQL column as cursor: its literals, and the values that no range holds."""

from __future__ import annotations

from dativo_provider.connectors.database.cursors import CursorColumn, orders_rows
from dativo_provider.connectors.postgres.relations import Relation
from dativo_provider.connectors.postgres.sql import identifier, literal

__all__ = ["PostgresCursor", "cursor_column"]


class PostgresCursor(CursorColumn):
    strange = "infinite"

    relation: Relation

    @property
    def quoted(self) -> str:
        return identifier(self.name)

    def sql(self, value: str) -> str:
        if self.is_moment:
            return f"{literal(value)}::{self.type}"
        number = int(value)
        return f"{literal(str(number))}::{'bigint' if -(2**63) <= number < 2**63 else 'numeric'}"

    @property
    def unplaced(self) -> str:
        infinite = f" or {self.quoted} in ('infinity', '-infinity')" if self.is_moment else ""
        return f"({self.quoted} is null{infinite})"


def cursor_column(relation: Relation, name: str) -> PostgresCursor:
    """Raises `ConfigurationError` when there is no such column, or it cannot order rows."""
    return PostgresCursor(relation, orders_rows(relation, name))
