"""Connections to one source: at most so many at once in this process, and open ones are used again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Generic, Protocol, TypeVar

__all__ = ["Pool", "Pooled"]


class Pooled(Protocol):
    def reusable(self) -> bool:
        """Leaves nothing behind of who used it last; False when it is broken."""

    def close(self) -> None: ...


C = TypeVar("C", bound=Pooled)
_HEARS = 0.2  # seconds after which one who waits looks whether it was cancelled


class Pool(Generic[C]):
    """`connect` opens a connection; what it raises goes to who asked."""

    def __init__(self, size: int, connect: Callable[[], C]) -> None:
        self._size, self._connect = size, connect
        self._idle: list[C] = []
        self._used = 0
        self._changed = Condition()
        self._closed = False

    @contextmanager
    def lease(self, still_wanted: Callable[[], None]) -> Iterator[C]:
        """Waits for a free place. `still_wanted` is called meanwhile, and may raise."""
        with self._changed:
            while self._used >= self._size:
                still_wanted()
                self._changed.wait(_HEARS)
            self._used += 1
        with self._leased() as connection:
            yield connection

    @contextmanager
    def spare(self) -> Iterator[C | None]:
        """None when there is no free place now: who holds a connection already must not wait for another."""
        with self._changed:
            free = self._used < self._size
            self._used += free
        if not free:
            yield None
            return
        with self._leased() as connection:
            yield connection

    @contextmanager
    def _leased(self) -> Iterator[C]:
        connection: C | None = None
        try:
            connection = self._open()
            yield connection
        except BaseException:
            if connection is not None:
                connection.close()
            connection = None
            raise
        finally:
            self._back(connection)

    def _open(self) -> C:
        while True:
            with self._changed:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if connection.reusable():
                return connection
            connection.close()

    def _back(self, connection: C | None) -> None:
        keep = connection is not None and connection.reusable()
        with self._changed:
            self._used -= 1
            if keep and connection is not None and not self._closed:
                self._idle.append(connection)
                connection = None
            self._changed.notify()
        if connection is not None:
            connection.close()

    def renew(self, connect: Callable[[], C]) -> None:
        """From now on connections are opened by `connect`; those that are open stay."""
        self._connect = connect

    def close(self) -> None:
        """Closes idle connections; those in use when they are given back."""
        with self._changed:
            self._closed, idle, self._idle = True, self._idle, []
        for connection in idle:
            connection.close()
