"""Histories with known faults: level, trend, seasons, gaps, heavy tails, a shift; 3 % of the points are wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dativo_provider.quality.anomaly import Point, detect

__all__ = ["KINDS", "Counts", "measure", "replay", "series"]

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
POINTS, LEARNED, SHIFT, HISTORY = 120, 30, 75, 150
WEEK = (1.0, 1.0, 1.0, 1.0, 1.0, 0.35, 0.25)
FAULTS = (0.5, 0.3, 0.0, 1.8)
GRACE = 5  # after a shift, the points at which anything may be said


@dataclass(frozen=True)
class Labelled:
    point: Point
    wrong: bool
    judged: bool = True


def _normal(rng: random.Random, share: float) -> float:
    return 1 + rng.gauss(0, share)


def _heavy(rng: random.Random, index: int) -> float:
    """Student's t with 5 degrees of freedom, as a factor."""
    squares = sum(rng.gauss(0, 1) ** 2 for _ in range(5))
    return math.exp(0.04 * rng.gauss(0, 1) / math.sqrt(squares / 5))


KINDS: dict[str, Callable[[random.Random, int], float]] = {
    "flat": lambda rng, i: 1e6 * _normal(rng, 0.02),
    "weekly": lambda rng, i: 1e6 * WEEK[i % 7] * _normal(rng, 0.04),
    "trend": lambda rng, i: 1e6 * (1 + 0.01 * i) * _normal(rng, 0.03),
    "weekly and trend": lambda rng, i: 2e5 * WEEK[i % 7] * (1 + 0.01 * i) * _normal(rng, 0.04),
    "hourly": lambda rng, i: 1e4 * (2 + math.sin(i % 24 * math.pi / 12)) * _normal(rng, 0.04),
    "heavy tails": lambda rng, i: 1e5 * _heavy(rng, i),
    "constant": lambda rng, i: 5e5,
    "gaps": lambda rng, i: 1e6 * WEEK[i % 7] * _normal(rng, 0.04),
    "signed mean": lambda rng, i: -40 * _normal(rng, 0.03),
    "level shift": lambda rng, i: (1e6 if i < SHIFT else 2.2e6) * _normal(rng, 0.03),
}


def series(kind: str, seed: int) -> Iterator[Labelled]:
    rng = random.Random(f"{kind}{seed}")
    step = timedelta(hours=1) if kind == "hourly" else timedelta(days=1)
    first, last = (96, 216) if kind == "hourly" else (LEARNED, POINTS)
    for index in range(last):
        value, wrong = KINDS[kind](rng, index), index >= first and rng.random() < 0.03
        if kind == "gaps" and rng.random() < 0.15:
            continue
        point = Point(START + index * step, value * rng.choice(FAULTS) if wrong else value)
        made = Labelled(point, wrong, judged=index >= first)
        if kind == "level shift" and SHIFT <= index < SHIFT + GRACE:
            made = replace(made, point=Point(point.at, value), wrong=index == SHIFT, judged=index == SHIFT)
        yield made


@dataclass(frozen=True)
class Counts:
    found: int = 0
    missed: int = 0
    false: int = 0
    right: int = 0

    def __add__(self, other: Counts) -> Counts:
        sums = (self.found + other.found, self.missed + other.missed)
        return Counts(*sums, self.false + other.false, self.right + other.right)

    @property
    def precision(self) -> float:
        return self.found / max(self.found + self.false, 1)

    @property
    def recall(self) -> float:
        return self.found / max(self.found + self.missed, 1)


def replay(given: Iterator[Labelled], method: str) -> Counts:
    """As runs do it: each value against what came before, its flag kept for the next."""
    points: list[Point] = []
    flags: list[bool] = []
    counts = Counts()
    for each in given:
        band = detect(points[-HISTORY:], flags[-HISTORY:], each.point.at, method)
        flag = not isinstance(band, int) and not band.holds(each.point.value)
        points.append(each.point)
        flags.append(flag)
        if each.judged:
            counts += Counts(flag and each.wrong, each.wrong and not flag, flag and not each.wrong, not flag)
    return counts


def measure(kind: str, method: str, seeds: int) -> Counts:
    return sum((replay(series(kind, seed), method) for seed in range(seeds)), Counts())
