"""The pace, on a clock of the test's own: never above the limit, and hardly below it."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from threading import Thread

import pytest

from dativo_provider.connectors.rest.breaker import Breaker
from dativo_provider.connectors.rest.pace import Pace
from dativo_provider.errors import SourceChanged, SourceUnavailable
from tests.support import requirement


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def run(pace: Pace, clock: Clock, seconds: float) -> list[float]:
    """When requests leave that take no time themselves."""
    end, left = clock.at + seconds, []
    while clock.at < end:
        clock.at += pace.reserve()
        left.append(clock.at)
    return left


def most(moments: list[float], seconds: float) -> int:
    return max(bisect_left(moments, at + seconds - 1e-9) - number for number, at in enumerate(moments))


@pytest.mark.parametrize(("requests", "seconds"), [(1, 1), (10, 60), (25, 1), (100, 10), (700, 60), (2_000, 60)])
@requirement("ERR-05", "PRF-01")
def test_a_limit_is_kept_in_every_window_and_used(requests: int, seconds: float) -> None:
    clock = Clock()
    moments = run(Pace(requests, seconds, clock), clock, 30 * seconds)
    assert most(moments, seconds) <= requests
    assert len(moments) / 30 >= 0.9 * requests


def test_tasks_that_share_a_limit_keep_it_together() -> None:
    clocks = [Clock() for _ in range(4)]
    together = sorted(at for clock in clocks for at in run(Pace(100, 10, clock, share=0.25), clock, 300))
    assert most(together, 10) <= 105  # within 5 %: each may begin with a burst of its own
    assert len(together) >= 0.9 * 100 * 30


def test_a_wait_that_was_booked_at_a_slow_pace_is_shorter_at_a_faster_one() -> None:
    clock = Clock()
    pace = Pace(1, 60, clock)
    pace.reserve()
    assert pace.ahead() == pytest.approx(60)
    pace.allow(10, 60)
    assert pace.ahead() == pytest.approx(6)
    assert pace.reserve() == pytest.approx(6)
    assert most([1006.0, *run(pace, clock, 300)], 60) <= 10


@requirement("ERR-05")
def test_a_refusal_halves_the_rate_and_answers_bring_it_back() -> None:
    clock = Clock()
    pace = Pace(100, 10, clock)
    pace.refused(30)
    assert 29 < pace.reserve() <= 30.2
    clock.at += 31
    assert pace.rate == 0.5
    slow = len(run(pace, clock, 100))
    assert slow <= 560
    for _ in range(60):
        pace.answered()
    assert pace.rate == 1.0
    assert len(run(pace, clock, 100)) >= 950


def test_many_refusals_never_stop_it_for_ever() -> None:
    clock = Clock()
    pace = Pace(100, 10, clock)
    for _ in range(100):
        pace.refused(None)
    assert pace.reserve() + pace.reserve() < 60


def test_threads_share_one_pace() -> None:
    clock = Clock()
    pace = Pace(100, 10, clock)
    waits: list[float] = []
    threads = [Thread(target=lambda: waits.extend(pace.reserve() for _ in range(25))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most(sorted(clock.at + wait for wait in waits), 10) <= 100


def ask(breaker: Breaker, error: BaseException | None = None) -> None:
    with suppress(*[type(error)] if error else []), breaker.asking("here"):
        if error:
            raise error


DOWN = SourceUnavailable("down")


@requirement("ERR-03")
def test_a_breaker_opens_after_failures_in_a_row_and_closes_after_answers() -> None:
    clock = Clock()
    breaker = Breaker(clock, failures=5, seconds=60, successes=2)
    for _ in range(4):
        ask(breaker, DOWN)
    ask(breaker)
    for _ in range(4):
        ask(breaker, DOWN)
    ask(breaker, SourceChanged("404 is an answer too"))
    for _ in range(5):
        ask(breaker, DOWN)
    with pytest.raises(SourceUnavailable, match="left alone for 60 s") as caught:
        ask(breaker)
    assert caught.value.retry_after == 60
    clock.at += 61
    ask(breaker, DOWN)  # still down: open again at once
    with pytest.raises(SourceUnavailable, match="left alone"):
        ask(breaker)
    clock.at += 61
    ask(breaker)
    ask(breaker)
    for _ in range(4):
        ask(breaker, DOWN)
    ask(breaker)


@requirement("ERR-03")
def test_only_a_few_requests_try_whether_an_api_is_back() -> None:
    clock = Clock()
    breaker = Breaker(clock, failures=1, seconds=60, successes=2)
    ask(breaker, DOWN)
    clock.at += 61
    with breaker.asking("one"), breaker.asking("two"):
        with pytest.raises(SourceUnavailable) as caught:
            ask(breaker)
        assert caught.value.retry_after == 5
    ask(breaker)
    clock.at += 1
    ask(breaker, KeyboardInterrupt())
    ask(breaker)


def test_requests_that_are_refused_together_slow_down_once() -> None:
    clock = Clock()
    pace = Pace(100, 10, clock)
    left = clock.at
    clock.at += 1
    for _ in range(8):
        pace.refused(None, left)
    assert pace.rate == 0.5
    clock.at += 1
    pace.refused(None, clock.at)
    assert pace.rate == 0.25
