"""A profile on paper: JSON by `model.run.dump`, and numbers for history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["NUMBERS", "ColumnProfile", "Histogram", "Profile", "TopValue"]

# What of a column becomes history, as `<word>(<column>)`.
NUMBERS = ("null_share", "distinct", "min", "max", "mean", "stddev", "sum", "min_length", "max_length")

OF_SAMPLES = ("null_share", "mean", "stddev")


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
    """Of `rows` that were looked at, a random `share` of all. `by` footers it has counts and bounds only, and not of
    every column."""

    rows: int
    columns: tuple[ColumnProfile, ...] = ()
    share: float = 1.0
    by: Literal["rows", "footers"] = "rows"

    def column(self, name: str) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)

    def metrics(self) -> dict[str, float]:
        """Numbers for the store's history; of a sample those that are of the whole as well."""
        return dict(self._numbers(NUMBERS if self.share == 1 else OF_SAMPLES))

    def _numbers(self, words: Sequence[str]) -> Iterator[tuple[str, float]]:
        for column in self.columns:
            for word in words:
                value = getattr(column, word)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield f"{word}({column.name})", float(value)
