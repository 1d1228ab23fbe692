"""Several iterators, each in its own thread, as one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from queue import Empty, Queue
from typing import TypeVar

__all__ = ["merged"]

T = TypeVar("T")


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def merged(works: Sequence[Iterator[T]], stops: Sequence[Callable[[], None]]) -> Generator[T, None, None]:
    """Items as they come, at most one waiting per work. The first error ends all.

    `stops[i]` makes a waiting `works[i]` give up. No thread is left when the generator is done or closed.
    """
    queue: Queue[T | _End] = Queue(len(works))
    closing = threading.Event()
    threads = [threading.Thread(target=_run, args=(work, queue, closing), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            item = queue.get()
            if not isinstance(item, _End):
                yield item
                continue
            running -= 1
            if item.error is not None:
                raise item.error
    finally:
        closing.set()
        if running:
            _stop(threads, stops, queue)
        for thread in threads:
            thread.join()


def _run(work: Iterator[T], queue: Queue[T | _End], closing: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in work:
            queue.put(item)
            if closing.is_set():
                break
    except BaseException as caught:
        error = caught
    finally:
        if hasattr(work, "close"):
            work.close()
        queue.put(_End(error))


def _stop(threads: Sequence[threading.Thread], stops: Sequence[Callable[[], None]], queue: Queue[T | _End]) -> None:
    """Cancel those that wait for the source, and make room for those that wait for us."""
    for thread, stop in zip(threads, stops, strict=True):
        if thread.is_alive():
            stop()
    while any(thread.is_alive() for thread in threads):
        try:
            queue.get(timeout=0.05)
        except Empty:
            continue
