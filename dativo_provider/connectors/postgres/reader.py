"""PostgreSQL as a source: COPY as CSV, parsed to Arrow off the GIL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from dativo_provider.connectors.base import BaseReader, Tally
from dativo_provider.connectors.pool import Pool
from dativo_provider.connectors.postgres import CAPABILITIES
from dativo_provider.connectors.postgres.cursors import cursor_column
from dativo_provider.connectors.postgres.errors import translate
from dativo_provider.connectors.postgres.estimate import estimated_bytes
from dativo_provider.connectors.postgres.login import parameters
from dativo_provider.connectors.postgres.options import options_of
from dativo_provider.connectors.postgres.relations import Relation, every_relation, find_relation
from dativo_provider.connectors.postgres.session import Session, connect
from dativo_provider.connectors.postgres.slices import cut
from dativo_provider.connectors.postgres.window import Planner, bounds
from dativo_provider.errors import ConfigurationError, DativoError
from dativo_provider.model.batch import Batch
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Slice, Stream, Window, WindowRequest

__all__ = ["PostgresReader"]

T = TypeVar("T")
_LEAST_BLOCK = 1 << 18


class PostgresReader(BaseReader):
    """Reads only: every transaction is read-only, repeatable read, with PostgreSQL's formats fixed."""

    capabilities = CAPABILITIES

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self._live: set[Session] = set()
        self._lock = threading.Lock()
        self._relations: dict[str, Relation] = {}
        self._at = ""

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.border(), self.first() as session, session.transaction():
            session.rows("select 1")

    def discover(self) -> list[Stream]:
        def found(session: Session) -> list[Stream]:
            with session.transaction():
                return [relation.stream(relation.label) for relation in every_relation(session)]

        return self._asked(found, "listing tables")

    def describe(self, stream: StreamSpec) -> Stream:
        relation = self._asked(lambda session: self._relation(session, stream), "describing the stream", stream)
        return relation.stream(stream.name)

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        increment = stream.incremental
        ranged = bool(request.start or request.end)
        if not increment.cursor_field or (increment.strategy == "full_refresh" and not ranged):
            if ranged:
                raise ConfigurationError(
                    f"{stream.name} has no cursor to take a range of", remedy="set incremental.cursor_field"
                )
            return Window("full")

        def planned(session: Session) -> Window:
            cursor = cursor_column(self._relation(session, stream, every=True), increment.cursor_field)
            return Planner(session, cursor, stream, options_of(self.source, stream), self.ctx).window(request)

        return self._asked(planned, "planning the window", stream)

    def estimate(self, stream: StreamSpec, window: Window) -> int | None:
        from dativo_provider.connectors.postgres.extract import condition_of

        def made(session: Session) -> int:
            every = self._relation(session, stream, every=True)
            whole = Slice(0, stream.name, {"window": bounds(window)})
            read = replace(every, columns=every.only(stream.columns))
            with session.transaction():
                return estimated_bytes(session, read, condition_of(stream, whole, every))

        return self._asked(made, "estimating the size", stream)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        def made(session: Session) -> list[Slice]:
            relation = self._relation(session, stream, every=True)
            names = [column.name for column in relation.only(stream.columns)]
            spec = {"stream": stream.name, "columns": names, "window": bounds(window)}
            with session.transaction():
                return cut(session, relation, window, want, options_of(self.source, stream), spec)

        return self._asked(made, "cutting slices", stream)

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        from dativo_provider.connectors.postgres.extract import extracted

        self._at = stream.object or stream.name
        block = max(_LEAST_BLOCK, 2 * Budget.of(self.ctx.settings).block_bytes)
        yield from extracted(stream, piece, options_of(self.source, stream), self, block, tally)

    def translate(self, error: Exception) -> DativoError | None:
        return translate(error, self._at)

    def interrupt(self) -> None:
        with self._lock:
            asked = [threading.Thread(target=session.cancel, daemon=True) for session in self._live]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join()

    # how ----------------------------------------------------------------------------------------------------

    def _relation(self, session: Session, stream: StreamSpec, every: bool = False) -> Relation:
        """`every`: with all columns, also those the stream does not read. Looked up once per step."""
        if stream.name not in self._relations:
            with session.transaction():
                self._relations[stream.name] = find_relation(session, stream)
        found = self._relations[stream.name]
        columns = found.only(stream.columns)
        return found if every else replace(found, columns=columns)

    def _asked(self, question: Callable[[Session], T], what: str, stream: StreamSpec | None = None) -> T:
        """A question to the source on a connection of its own, repeated while the source is not available."""
        self._at = (stream.object or stream.name) if stream else ""

        def once() -> T:
            with self.first() as session:
                return question(session)

        with self.interruptible():
            return self.request(once, what)

    @contextmanager
    def first(self) -> Iterator[Session]:
        """A connection of the source's pool; waits where all are in use."""
        with self._pool().lease(self.ctx.check_cancelled) as session, self._lively(session):
            yield session

    @contextmanager
    def more(self) -> Iterator[Session | None]:
        """One more, if there is one at once."""
        with self._pool().spare() as session:
            if session is None:
                yield None
                return
            with self._lively(session):
                yield session

    @contextmanager
    def _lively(self, session: Session) -> Iterator[None]:
        """Inside, cancelling the run ends what the session does."""
        with self._lock:
            self._live.add(session)
        try:
            self.ctx.check_cancelled()
            yield
        finally:
            with self._lock:
                self._live.discard(session)

    def _pool(self) -> Pool[Session]:
        """One for all readers of this process that log in alike."""
        parameters, options = self._parameters(), options_of(self.source)
        key = ("postgres", options, tuple(sorted((name, str(value)) for name, value in parameters.items())))
        return self.ctx.kept.get(key, lambda: Pool(self.source.pool_size, lambda: connect(parameters, options)))

    def _parameters(self) -> dict[str, Any]:
        found = parameters(self.source, self.ctx)
        self.masker.add(str(found.get("password") or ""))
        return found
