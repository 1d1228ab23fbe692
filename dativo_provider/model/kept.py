"""What one process keeps for the length of a step or a run, so that it is made once: connections, descriptions."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

__all__ = ["Kept"]

T = TypeVar("T")
_MOST = 64


class Kept:
    """At most `most` things by key; the one not asked for longest goes first. Threads may share it.

    A key holds everything the thing depends on, so nothing is ever out of date: what changes has another key.
    Things with a `close` are closed when they go, from the last of their keys.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._lock = most, Lock()
        self._things: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under `key`, made now if it is not there. `make` must be quick, for others wait
        for it, and ask for nothing kept itself."""
        with self._lock:
            if key not in self._things:
                self._things[key] = make()
            self._things.move_to_end(key)
            found: T = self._things[key]
            gone = [self._things.popitem(last=False)[1] for _ in range(len(self._things) - self._most)]
            gone = [each for each in gone if all(each is not other for other in self._things.values())]
        _close(gone)
        return found

    def close(self) -> None:
        """Forgets everything. It may be used again."""
        with self._lock:
            gone = list(self._things.values())
            self._things.clear()
        _close(gone)


def _close(things: list[Any]) -> None:
    for thing in things:
        if hasattr(thing, "close"):
            with contextlib.suppress(Exception):  # nobody needs it any more
                thing.close()
