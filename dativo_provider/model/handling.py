"""What violations do where a check does not say so itself (`violation_handling`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from dativo_provider.vocabulary import OnViolation

__all__ = ["Handling", "OnDoubt"]

OnDoubt = Literal["block", "warn"]


@dataclass(frozen=True)
class Handling:
    """A check's own `on_violation` goes first, then its dimension's word, then its severity's.

    `on_error` and `on_not_evaluated` are for checks of severity error of which nobody knows whether they hold; empty:
    `block` for an error, `warn` for one that was not evaluated.
    """

    by_severity: Mapping[str, OnViolation] = field(default_factory=dict)
    by_dimension: Mapping[str, OnViolation] = field(default_factory=dict)
    on_error: OnDoubt | Literal[""] = ""
    on_not_evaluated: OnDoubt | Literal[""] = ""

    def word(self, severity: str, dimension: str) -> OnViolation | None:
        return self.by_dimension.get(dimension.lower()) or self.by_severity.get(severity)

    def over(self, below: Self) -> Self:
        """Word by word, this one's first."""
        return type(self)(
            {**below.by_severity, **self.by_severity},
            {**below.by_dimension, **self.by_dimension},
            self.on_error or below.on_error,
            self.on_not_evaluated or below.on_not_evaluated,
        )
