"""What stands in a cursor column of PostgreSQL, and up to where it is settled."""

from __future__ import annotations

from dataclasses import dataclass

from dativo_provider.connectors.database.window import COUNTED, Found, Planner, Settled
from dativo_provider.connectors.postgres.cursors import PostgresCursor
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.settle import settled_moment, writers_done
from dativo_provider.connectors.postgres.sql import expression
from dativo_provider.model.context import RunContext

__all__ = ["PostgresPlanner"]

_INDEXED = """
select exists (select 1 from pg_catalog.pg_index i join pg_catalog.pg_attribute a
               on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
               where i.indrelid = %s::oid and a.attname = %s and i.indisvalid and i.indpred is null)
"""
_BLOCKS = """
select s.seqcache from pg_catalog.pg_sequence s where s.seqrelid = pg_get_serial_sequence(%s, %s)::regclass
"""


@dataclass
class PostgresPlanner(Planner):
    cursor: PostgresCursor
    session: Session
    options: Options
    ctx: RunContext

    def settled_moment(self) -> Settled:
        lag = self.stream.incremental.lag_seconds
        return settled_moment(self.session, self.cursor, self.options, lag, self.ctx)

    def writers_done(self) -> tuple[str, ...]:
        return writers_done(self.session, self.cursor, self.stream.incremental.lag_seconds, self.ctx)

    def found(self, lo: str | None, hi: str | None) -> Found:
        with self.session.transaction():
            newest, unplaced, ahead = self.session.rows(self._probe(lo, hi))[0]
        shown = None if newest is None else self.cursor.canonical(newest)
        return Found(shown, unplaced, ahead)

    def _probe(self, lo: str | None, hi: str | None) -> str:
        name, source = self.cursor.quoted, self.cursor.relation.source
        where = expression(self.stream.where) if self.stream.where else "true"
        inside = self.cursor.condition(lo, hi, unplaced=False)
        beyond = f"{name} >= {self.cursor.sql(hi)} and not {self.cursor.unplaced}" if hi is not None else "false"
        if self._indexed():
            return (
                f"select (select max({name})::text from {source} where {where} and {inside}), "
                f"(select count(*) from (select 1 from {source} where {where} and {self.cursor.unplaced} "
                f"limit {COUNTED + 1}) as u), "
                f"(select max({name})::text from {source} where {where} and {beyond})"
            )
        return (
            f"select max({name}) filter (where {inside})::text, count(*) filter (where {self.cursor.unplaced}), "
            f"max({name}) filter (where {beyond})::text from {source} where {where}"
        )

    def _indexed(self) -> bool:
        oid = self.cursor.relation.oid
        return bool(oid) and bool(self.session.rows(_INDEXED, (oid, self.cursor.name))[0][0])

    def number_notes(self) -> tuple[str, ...]:
        relation = self.cursor.relation
        if relation.kind == "f":
            return (f"{relation.label} is on another server: rows committed late there may be missed",)
        if relation.kind not in ("r", "p"):
            return ()
        with self.session.transaction():
            found = self.session.rows(_BLOCKS, (relation.source, self.cursor.name))
        blocks = found[0][0] if found else 1
        if blocks <= 1:
            return ()
        return (
            f"the sequence of {self.cursor.name} hands out {blocks} numbers at a time to each session: "
            "a session may insert smaller ones later, which are then missed (alter sequence … cache 1)",
        )
