"""A profile on paper: JSON by `model.run.dump`, and numbers for history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NUMBERS", "ColumnProfile", "Histogram", "Profile", "TopValue"]

# What of a column becomes history, as `<word>(<column>)`.
NUMBERS = ("null_share", "distinct", "min", "max", "mean", "stddev", "sum", "min_length", "max_length")


@dataclass(frozen=True)
class TopValue:
    value: Any
    count: int


@dataclass(frozen=True)
class Histogram:
    """Bins of equal width from `low` to `high`; what lies beyond is counted in the first or last one."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True)
class ColumnProfile:
    """One column. `distinct` is an estimate (HyperLogLog, a few percent off). Of personal columns only counts are told.

    `min` and `max` are JSON: numbers, ISO dates and moments, text cut to 64 characters. `not_finite` are NaN and
    infinite values, which nothing else here counts.
    """

    name: str
    type: str
    nulls: int = 0
    null_share: float = 0.0
    distinct: int | None = None
    personal: bool = False
    min: Any = None
    max: Any = None
    mean: float | None = None
    stddev: float | None = None
    sum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    not_finite: int = 0
    quantiles: Mapping[str, float] = field(default_factory=dict)
    top: tuple[TopValue, ...] = ()
    histogram: Histogram | None = None


@dataclass(frozen=True)
class Profile:
    rows: int
    columns: tuple[ColumnProfile, ...] = ()

    def column(self, name: str) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)

    def metrics(self) -> dict[str, float]:
        """Numbers for the store's history."""
        return dict(self._numbers())

    def _numbers(self) -> Iterator[tuple[str, float]]:
        for column in self.columns:
            for word in NUMBERS:
                value = getattr(column, word)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield f"{word}({column.name})", float(value)
