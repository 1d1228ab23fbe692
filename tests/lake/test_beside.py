from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from dativo_provider.lake.modes.beside import beside


def test_results_come_in_order_and_two_are_worked_on_at_once() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def work(number: int) -> Callable[[], int]:
        return lambda: (meeting.wait(), number)[1]

    assert list(beside((work(number) for number in range(4)), 2)) == [0, 1, 2, 3]


def test_works_are_drawn_by_the_caller_and_no_further_ahead_than_asked() -> None:
    drawn: list[tuple[int, int]] = []

    def works() -> Iterator[Callable[[], int]]:
        for number in range(5):
            drawn.append((number, threading.get_ident()))
            yield lambda number=number: number  # type: ignore[misc]

    results = beside(works(), 2)
    assert next(results) == 0
    assert [number for number, _ in drawn] == [0, 1, 2]
    assert {thread for _, thread in drawn} == {threading.get_ident()}
    assert list(results) == [1, 2, 3, 4]


def test_an_error_ends_all_and_leaves_no_thread() -> None:
    def broken() -> int:
        raise ValueError("broken")

    done: list[int] = []
    works = [broken, *(lambda number=number: done.append(number) or number for number in range(50))]
    with pytest.raises(ValueError, match="broken"):
        list(beside(works, 2))
    assert len(done) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dativo-rewrite")]
