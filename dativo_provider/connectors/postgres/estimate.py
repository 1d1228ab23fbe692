"""How much a window holds, as the server's planner sees it. https://www.postgresql.org/docs/current/sql-explain.html"""

from __future__ import annotations

from dativo_provider.connectors.postgres.relations import Relation
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.sql import identifier

__all__ = ["estimated_bytes"]


def estimated_bytes(session: Session, relation: Relation, condition: str) -> int:
    """Rows times their width. Nothing is read; it is as good as the last ANALYZE."""
    names = ", ".join(identifier(column.name) for column in relation.columns)
    statement = f"explain (format json) select {names} from {relation.source} where {condition}"
    plan = session.rows(statement)[0][0][0]["Plan"]
    return int(plan["Plan Rows"]) * int(plan["Plan Width"])
