"""A network between the runs and their servers that fails at random, and heals by itself."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["bad_weather"]


def _slow(link: Any, rng: random.Random) -> None:
    link.toxic("latency", latency=rng.choice([20, 200]), jitter=20)


def _cut_after(link: Any, rng: random.Random) -> None:
    """Some bytes of an answer, then the end: often the commit has landed."""
    link.toxic("limit_data", stream=rng.choice(["upstream", "downstream"]), bytes=rng.choice([0, 100, 5_000, 60_000]))


def _reset(link: Any, rng: random.Random) -> None:
    link.toxic("reset_peer", stream=rng.choice(["upstream", "downstream"]), timeout=rng.choice([0, 50, 300]))


def _half_open(link: Any, rng: random.Random) -> None:
    link.toxic("timeout", stream=rng.choice(["upstream", "downstream"]), timeout=rng.choice([100, 800]))


def _down(link: Any, rng: random.Random) -> None:
    link.cut()


_FAULTS: Sequence[Callable[[Any, random.Random], None]] = (_slow, _cut_after, _reset, _half_open, _down)


@contextmanager
def bad_weather(links: Sequence[Any], seed: int) -> Iterator[Counter[str]]:
    """One link after the other fails for a moment, until the block ends. Counts the faults."""
    over, faults = threading.Event(), Counter[str]()
    weather = threading.Thread(target=_blow, args=(links, random.Random(seed), over, faults), name="weather")
    weather.start()
    try:
        yield faults
    finally:
        over.set()
        weather.join()


def _blow(links: Sequence[Any], rng: random.Random, over: threading.Event, faults: Counter[str]) -> None:
    while not over.wait(rng.uniform(0.05, 0.6)):
        link, fault = rng.choice(links), rng.choice(_FAULTS)
        fault(link, rng)
        faults[fault.__name__.strip("_")] += 1
        over.wait(rng.uniform(0.05, 0.5))
        link.heal()
        link.mend()
