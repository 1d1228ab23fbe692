"""A few pieces of work at once, each in a thread; most of it needs no GIL."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["beside"]

T = TypeVar("T")


def beside(works: Iterable[Callable[[], T]], most: int) -> Iterator[T]:
    """Results in order. `works` is drawn from in the caller's thread, at most `most` ahead; an error ends all."""
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(most, "dativo-rewrite") as pool:
        try:
            for work in works:
                if len(waiting) == most:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(work))
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
