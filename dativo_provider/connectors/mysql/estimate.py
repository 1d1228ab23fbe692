"""How much a window holds, as the optimizer sees it."""

from __future__ import annotations

from dativo_provider.connectors.mysql.relations import Relation
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.connectors.mysql.sql import identifier

__all__ = ["estimated_bytes"]

_WIDTH = 24  # of a value in bytes, where the statistics do not say


def estimated_bytes(session: Session, relation: Relation, columns: int, condition: str) -> int:
    """Rows times their width; of a table with statistics, its own average width. Nothing is read."""
    names = ", ".join(identifier(column.name) for column in relation.columns[:1]) or "1"
    plan = session.named(f"explain select {names} from {relation.source} where {condition}") or [{}]
    rows = int(plan[0].get("rows") or 0)
    share = columns / max(1, len(relation.columns))
    width = (relation.bytes / relation.rows) * share if relation.bytes and relation.rows else _WIDTH * columns
    return int(rows * width)
