"""MySQL and MariaDB as a source: the text protocol's rows, cut into Arrow columns block by block."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.database.login import Access
from dativo_provider.connectors.database.reader import DatabaseReader
from dativo_provider.connectors.mysql import CAPABILITIES
from dativo_provider.connectors.mysql.cursors import cursor_column
from dativo_provider.connectors.mysql.driver import numpy_module
from dativo_provider.connectors.mysql.errors import translate
from dativo_provider.connectors.mysql.estimate import estimated_bytes
from dativo_provider.connectors.mysql.login import parameters
from dativo_provider.connectors.mysql.options import options_of
from dativo_provider.connectors.mysql.relations import Relation, every_relation, find_relation
from dativo_provider.connectors.mysql.session import Session, connect
from dativo_provider.connectors.mysql.slices import cut
from dativo_provider.connectors.mysql.window import MysqlPlanner
from dativo_provider.errors import DativoError
from dativo_provider.model.batch import Batch
from dativo_provider.model.budget import Budget
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Slice, Window

__all__ = ["MysqlReader"]

_LEAST_BLOCK, _MOST_BLOCK = 1 << 18, 4 << 20


class MysqlReader(DatabaseReader[Session, Relation]):
    """Reads only: every transaction is read-only, on one snapshot, with the session's formats fixed."""

    capabilities = CAPABILITIES

    def every_relation(self, session: Session) -> list[Relation]:
        return every_relation(session)

    def find_relation(self, session: Session, stream: StreamSpec) -> Relation:
        return find_relation(session, stream)

    def planner(self, session: Session, relation: Relation, stream: StreamSpec) -> MysqlPlanner:
        options = options_of(self.source, stream)
        cursor = cursor_column(relation, stream.incremental.cursor_field)
        return MysqlPlanner(cursor, stream, options.timezone, session, options, self.ctx)

    def condition(self, stream: StreamSpec, piece: Slice, relation: Relation) -> str:
        from dativo_provider.connectors.mysql.extract import condition_of

        return condition_of(stream, piece, relation)

    def estimated(self, session: Session, every: Relation, read: Relation, condition: str) -> int:
        return estimated_bytes(session, every, len(read.columns), condition)

    def cut(
        self, session: Session, relation: Relation, stream: StreamSpec, window: Window, want: int, spec: dict[str, Any]
    ) -> list[Slice]:
        return cut(session, relation, window, want, options_of(self.source, stream), spec)

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        from dativo_provider.connectors.mysql.extract import extracted

        numpy_module()
        self._at = stream.object or stream.name
        block = min(_MOST_BLOCK, max(_LEAST_BLOCK, 2 * Budget.of(self.ctx.settings).block_bytes))
        with self.first() as session:
            yield from extracted(stream, piece, options_of(self.source, stream), session, block, tally)

    def translate(self, error: Exception) -> DativoError | None:
        return translate(error, self._at)

    def access(self) -> Access[Session]:
        login, options = parameters(self.source, self.ctx), options_of(self.source)
        values = tuple(sorted((name, str(value)) for name, value in login.values.items() if name != "password"))
        place = ("mysql", options, login.tls, login.ca, values)
        return Access(place, str(login.values.get("password") or ""), lambda: connect(login, options))
