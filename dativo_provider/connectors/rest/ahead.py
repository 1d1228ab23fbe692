"""Requests of one record each, a few of them under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_order"]

S = TypeVar("S")
T = TypeVar("T")
_AHEAD = 4


def in_order(read: Callable[[S], T], found: Iterable[S], ahead: int = _AHEAD) -> Iterator[T]:
    """What `read` gives of each, while the next few are read."""
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(ahead, "dativo-ahead") as pool:
        try:
            for each in found:
                waiting.append(pool.submit(read, each))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each_ in waiting:
                each_.cancel()
