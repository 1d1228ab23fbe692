"""A database as a source: sessions of a pool, questions that are repeated, relations looked up once."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Generic, Protocol, Self, TypeVar

from dativo_provider.connectors.base import BaseReader
from dativo_provider.connectors.database.login import Access
from dativo_provider.connectors.database.relation import Column, Relation
from dativo_provider.connectors.database.window import Planner, bounds
from dativo_provider.connectors.pool import Pool, Pooled
from dativo_provider.errors import ConfigurationError, CredentialError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Slice, Stream, Window, WindowRequest

__all__ = ["DatabaseReader", "Opened"]

T = TypeVar("T")


class Opened(Pooled, Protocol):
    """A connection; questions stand inside a `transaction`. `cancel` ends what it does, from any thread."""

    def transaction(self) -> AbstractContextManager[Self]: ...
    def rows(self, statement: str) -> list[tuple[Any, ...]]: ...
    def cancel(self) -> None: ...


S = TypeVar("S", bound=Opened)
R = TypeVar("R", bound=Relation[Any])


class DatabaseReader(BaseReader, Generic[S, R]):
    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self._live: set[S] = set()
        self._lock = threading.Lock()
        self._relations: dict[str, R] = {}
        self._access: Access[S] | None = None
        self._at = ""

    # what a dialect fills -----------------------------------------------------------------------------------

    @abstractmethod
    def access(self) -> Access[S]:
        """How to log in, by what `source` and its Airflow connection say now."""

    @abstractmethod
    def every_relation(self, session: S) -> list[R]: ...

    @abstractmethod
    def find_relation(self, session: S, stream: StreamSpec) -> R:
        """Raises `SourceChanged` when it is not there, naming what is."""

    @abstractmethod
    def planner(self, session: S, relation: R, stream: StreamSpec) -> Planner: ...

    @abstractmethod
    def condition(self, stream: StreamSpec, piece: Slice, relation: R) -> str:
        """Which rows the slice reads, as SQL."""

    @abstractmethod
    def estimated(self, session: S, every: R, read: R, condition: str) -> int:
        """Bytes that `read`, the relation with the columns of the stream, holds under `condition`."""

    @abstractmethod
    def cut(
        self, session: S, relation: R, stream: StreamSpec, window: Window, want: int, spec: dict[str, Any]
    ) -> list[Slice]:
        """At most `want` slices that hold every row of the window once; `spec` is in all of them."""

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.border(), self.first() as session, session.transaction():
            session.rows("select 1")

    def discover(self) -> list[Stream]:
        def found(session: S) -> list[Stream]:
            with session.transaction():
                return [relation.stream(relation.label) for relation in self.every_relation(session)]

        return self.asked(found, "listing tables")

    def describe(self, stream: StreamSpec) -> Stream:
        relation = self.asked(lambda session: self.relation(session, stream), "describing the stream", stream)
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

        def planned(session: S) -> Window:
            relation = self.relation(session, stream, every=True)
            return self.planner(session, relation, stream).window(request)

        return self.asked(planned, "planning the window", stream)

    def estimate(self, stream: StreamSpec, window: Window) -> int | None:
        def made(session: S) -> int:
            every = self.relation(session, stream, every=True)
            whole = Slice(0, stream.name, {"window": bounds(window)})
            read: R = replace(every, columns=every.only(stream.columns))
            with session.transaction():
                return self.estimated(session, every, read, self.condition(stream, whole, every))

        return self.asked(made, "estimating the size", stream)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        def made(session: S) -> list[Slice]:
            relation = self.relation(session, stream, every=True)
            names = [column.name for column in relation.only(stream.columns)]
            spec = {"stream": stream.name, "columns": names, "window": bounds(window)}
            with session.transaction():
                return self.cut(session, relation, stream, window, want, spec)

        return self.asked(made, "cutting slices", stream)

    # how ----------------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        with self._lock:
            asked = [threading.Thread(target=session.cancel, daemon=True) for session in self._live]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join()

    def relation(self, session: S, stream: StreamSpec, every: bool = False) -> R:
        """`every`: with all columns, also those the stream does not read. Looked up once per step."""
        if stream.name not in self._relations:
            with session.transaction():
                self._relations[stream.name] = self.find_relation(session, stream)
        found = self._relations[stream.name]
        columns: tuple[Column, ...] = found.only(stream.columns)
        return found if every else replace(found, columns=columns)

    def asked(self, question: Callable[[S], T], what: str, stream: StreamSpec | None = None) -> T:
        """A question to the source on a connection of its own, repeated while the source is not available."""
        self._at = (stream.object or stream.name) if stream else ""

        def once() -> T:
            with self.first() as session:
                return question(session)

        with self.interruptible():
            return self.request(once, what)

    @contextmanager
    def first(self) -> Iterator[S]:
        """A connection of the source's pool; waits where all are in use."""
        with ExitStack() as opened:
            session = self._leased(lambda pool: opened.enter_context(pool.lease(self.ctx.check_cancelled)))
            with self._lively(session):
                yield session

    @contextmanager
    def more(self) -> Iterator[S | None]:
        """One more, if there is one at once."""
        with ExitStack() as opened:
            session = self._leased(lambda pool: opened.enter_context(pool.spare()))
            if session is not None:
                opened.enter_context(self._lively(session))
            yield session

    def _leased(self, lease: Callable[[Pool[S]], T]) -> T:
        """A login that is refused is tried once more with the secrets as they are by then."""
        access = self._access = self._access or self._made_access()
        pool = self._pool(access)
        try:
            return lease(pool)
        except CredentialError:
            fresh = self._rotated(access)
            if fresh is None:
                raise
            if fresh.place != access.place:  # sessions of the old place must not be used again
                return lease(self._pool(fresh))
            pool.renew(fresh.connect)  # the same one: connections that are in use count still
            return lease(self.ctx.kept.get(fresh.key, lambda: pool))

    def _pool(self, access: Access[S]) -> Pool[S]:
        """One for all readers of this process that log in alike."""
        return self.ctx.kept.get(access.key, lambda: Pool(self.source.pool_size, access.connect))

    def _made_access(self) -> Access[S]:
        found = self.access()
        self.masker.add(found.password)
        return found

    def _rotated(self, refused: Access[S]) -> Access[S] | None:
        """None where the secrets are what they were."""
        if self.again is not None:
            self.source = self.again()
        fresh = self._access = self._made_access()
        if fresh.key == refused.key:
            return None
        self.ctx.log.info("the secrets of '%s' have changed and are read anew", self.source.connector)
        return fresh

    @contextmanager
    def _lively(self, session: S) -> Iterator[None]:
        """Inside, cancelling the run ends what the session does."""
        with self._lock:
            self._live.add(session)
        try:
            self.ctx.check_cancelled()
            yield
        finally:
            with self._lock:
                self._live.discard(session)
