"""Requests that do not wait for each other, a few of them under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_order"]

S = TypeVar("S")
T = TypeVar("T")
_AHEAD = 4


def in_order(read: Callable[[S], T], found: Iterable[S], ahead: int = _AHEAD) -> Generator[T, None, None]:
    """What `read` gives of each, while the next few are read; no more than `ahead` of them are held.

    Ends with the first error in their order: what has not begun by then is not read. `found` is drawn by the caller.
    """
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
            for future in waiting:
                future.cancel()
