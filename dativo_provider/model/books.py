"""The books of a run: where every source row ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from dativo_provider.errors import InternalError

__all__ = ["Books"]


@dataclass
class Books:
    """Counts of source rows; `reasons` breaks quarantined, rejected, duplicates and filtered down.

    A row may have several reasons, so `reasons` need not add up. `produced` counts target rows, which a
    1:n or n:1 transform makes different from `accepted`.
    """

    extracted: int = 0
    accepted: int = 0
    quarantined: int = 0
    rejected: int = 0
    duplicates: int = 0
    filtered: int = 0
    produced: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def left_out(self) -> int:
        return self.quarantined + self.rejected

    def add_reasons(self, reasons: Iterable[str]) -> None:
        self.reasons = dict(Counter(self.reasons) + Counter(reasons))

    def __add__(self, other: Books) -> Books:
        names = ("extracted", "accepted", "quarantined", "rejected", "duplicates", "filtered", "produced")
        total = Books(**{name: getattr(self, name) + getattr(other, name) for name in names})
        total.reasons = dict(Counter(self.reasons) + Counter(other.reasons))
        return total

    def check(self, where: str) -> None:
        """Raises `InternalError` unless every extracted row is accounted for exactly once."""
        ended = self.accepted + self.quarantined + self.rejected + self.duplicates + self.filtered
        if ended != self.extracted:
            raise InternalError(
                f"the books do not balance: {self.extracted} rows extracted, {ended} accounted for",
                where=where,
                remedy="nothing was published; please report this with the run's plan.json",
            )
