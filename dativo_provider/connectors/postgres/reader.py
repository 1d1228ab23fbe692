"""PostgreSQL as a source: COPY as CSV, parsed to Arrow off the GIL."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.database.login import Access
from dativo_provider.connectors.database.reader import DatabaseReader
from dativo_provider.connectors.postgres import CAPABILITIES
from dativo_provider.connectors.postgres.cursors import cursor_column
from dativo_provider.connectors.postgres.errors import translate
from dativo_provider.connectors.postgres.estimate import estimated_bytes
from dativo_provider.connectors.postgres.login import parameters
from dativo_provider.connectors.postgres.options import options_of
from dativo_provider.connectors.postgres.relations import Relation, every_relation, find_relation
from dativo_provider.connectors.postgres.session import Session, connect
from dativo_provider.connectors.postgres.slices import cut
from dativo_provider.connectors.postgres.window import PostgresPlanner
from dativo_provider.errors import DativoError
from dativo_provider.model.batch import Batch
from dativo_provider.model.budget import Budget
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Slice, Window

__all__ = ["PostgresReader"]

_LEAST_BLOCK = 1 << 18


class PostgresReader(DatabaseReader[Session, Relation]):
    """Reads only: every transaction is read-only, repeatable read, with PostgreSQL's formats fixed."""

    capabilities = CAPABILITIES

    def every_relation(self, session: Session) -> list[Relation]:
        return every_relation(session)

    def find_relation(self, session: Session, stream: StreamSpec) -> Relation:
        return find_relation(session, stream)

    def planner(self, session: Session, relation: Relation, stream: StreamSpec) -> PostgresPlanner:
        options = options_of(self.source, stream)
        cursor = cursor_column(relation, stream.incremental.cursor_field)
        return PostgresPlanner(cursor, stream, options.timezone, session, options, self.ctx)

    def condition(self, stream: StreamSpec, piece: Slice, relation: Relation) -> str:
        from dativo_provider.connectors.postgres.extract import condition_of

        return condition_of(stream, piece, relation)

    def estimated(self, session: Session, every: Relation, read: Relation, condition: str) -> int:
        return estimated_bytes(session, read, condition)

    def cut(
        self, session: Session, relation: Relation, stream: StreamSpec, window: Window, want: int, spec: dict[str, Any]
    ) -> list[Slice]:
        return cut(session, relation, window, want, options_of(self.source, stream), spec)

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        from dativo_provider.connectors.postgres.extract import extracted

        self._at = stream.object or stream.name
        block = max(_LEAST_BLOCK, 2 * Budget.of(self.ctx.settings).block_bytes)
        yield from extracted(stream, piece, options_of(self.source, stream), self, block, tally)

    def translate(self, error: Exception) -> DativoError | None:
        return translate(error, self._at)

    def access(self) -> Access[Session]:
        values, options = parameters(self.source, self.ctx), options_of(self.source)
        login = tuple(sorted((name, str(value)) for name, value in values.items() if name != "password"))
        place = ("postgres", options, login)
        return Access(place, str(values.get("password") or ""), lambda: connect(values, options))
