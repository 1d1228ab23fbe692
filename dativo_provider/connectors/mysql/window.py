"""What stands in a cursor column of MySQL, and up to where it is settled."""

from __future__ import annotations

from dataclasses import dataclass

from dativo_provider.connectors.database.window import COUNTED, Found, Planner, Settled
from dativo_provider.connectors.mysql.cursors import MysqlCursor
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.connectors.mysql.settle import settled_moment, writers_done
from dativo_provider.connectors.mysql.sql import expression
from dativo_provider.model.context import RunContext

__all__ = ["MysqlPlanner"]


@dataclass
class MysqlPlanner(Planner):
    cursor: MysqlCursor
    session: Session
    options: Options
    ctx: RunContext

    def settled_moment(self) -> Settled:
        lag = self.stream.incremental.lag_seconds
        return settled_moment(self.session, self.cursor, self.options, lag, self.ctx)

    def writers_done(self) -> tuple[str, ...]:
        return writers_done(self.session, self.stream.incremental.lag_seconds, self.ctx)

    def found(self, lo: str | None, hi: str | None) -> Found:
        """Three looks: an index answers each of them at once, and a scan is one in any form."""
        with self.session.transaction():
            newest = self._most(self.cursor.condition(lo, hi, unplaced=False))
            unplaced = self._counted(self.cursor.unplaced)
            beyond = f"{self.cursor.quoted} >= {self.cursor.sql(hi)}" if hi is not None else ""
            ahead = self._most(beyond) if beyond else None
        return Found(None if newest is None else self.cursor.canonical(newest), unplaced, ahead)

    def _most(self, condition: str) -> str | None:
        found = self.session.rows(
            f"select max({self.cursor.quoted}) from {self.cursor.relation.source} where {self._where} and {condition}"
        )[0][0]
        return None if found is None else str(found)

    def _counted(self, condition: str) -> int:
        some = f"select 1 from {self.cursor.relation.source} where {self._where} and {condition} limit {COUNTED + 1}"
        return int(self.session.rows(f"select count(*) from ({some}) as some")[0][0])

    @property
    def _where(self) -> str:
        return expression(self.stream.where) if self.stream.where else "true"
