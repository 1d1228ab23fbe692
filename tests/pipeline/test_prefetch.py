from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from dativo_provider.pipeline.prefetch import prefetch


def readers() -> int:
    return sum(thread.name == "dativo-read" for thread in threading.enumerate())


def test_items_arrive_in_order() -> None:
    assert list(prefetch(iter(range(100)))) == list(range(100))


def test_at_most_depth_items_are_read_ahead() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    items = prefetch(source(), depth=2)
    next(items)
    time.sleep(0.3)
    assert len(read) <= 5  # one consumed, two queued, one waiting for room, one being produced
    items.close()


def test_an_error_of_the_source_reaches_the_consumer_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("gone")

    seen: list[int] = []
    with pytest.raises(ValueError, match="gone"):
        seen.extend(prefetch(source()))
    assert readers() == 0


def test_closing_early_closes_the_source_in_its_thread_and_leaves_none_behind() -> None:
    closed: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from range(1_000_000)
        finally:
            closed.append(threading.current_thread().name)

    items = prefetch(source())
    next(items)
    items.close()
    assert closed == ["dativo-read"]
    assert readers() == 0
