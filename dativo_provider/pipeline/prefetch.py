"""Read ahead: the reader fills a short queue in its own thread while the consumer casts, checks and writes."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")
_END = object()


def prefetch(items: Iterator[T], depth: int = 2) -> Generator[T, None, None]:
    """`items` in order, at most `depth` ahead. An exception of the producer is raised here; closing the
    generator early closes `items` in its own thread and joins it."""
    queue: Queue[object] = Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, queue, stop), name="dativo-read", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        _drain(queue)
        thread.join()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _produce(items: Iterator[T], queue: Queue[object], stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put(queue, item, stop):
                return
        _put(queue, _END, stop)
    except BaseException as error:
        _put(queue, _Failure(error), stop)
    finally:
        if hasattr(items, "close"):
            items.close()


def _put(queue: Queue[object], item: object, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            queue.put(item, timeout=0.1)
            return True
        except Full:
            continue
    return False


def _drain(queue: Queue[object]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
