"""How a source's schema differs from its contract, sorted for a person: added, removed, of another type, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dativo_provider.model.schema import ColumnDrift

__all__ = ["DriftReport", "drift_report"]


@dataclass(frozen=True)
class DriftReport:
    """Columns with the type they have, or had and have; `recommendations` are sentences, each once."""

    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    type_changes: tuple[tuple[str, str, str], ...] = ()
    recommendations: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.added or self.removed or self.type_changes)

    def to_dict(self) -> dict[str, Any]:
        return {
            "added": [{"column": name, "type": kind} for name, kind in self.added],
            "removed": [{"column": name, "type": kind} for name, kind in self.removed],
            "type_changes": [
                {"column": name, "from": before, "to": after} for name, before, after in self.type_changes
            ],
            "recommendations": list(self.recommendations),
        }


def drift_report(drift: Iterable[ColumnDrift]) -> DriftReport:
    found = list(drift)
    return DriftReport(
        added=tuple((each.column, each.after) for each in found if each.change == "new_column"),
        removed=tuple((each.column, each.before) for each in found if each.change == "missing_column"),
        type_changes=tuple((each.column, each.before, each.after) for each in found if each.change == "other_type"),
        recommendations=tuple(dict.fromkeys(f"{each.column}: {each.advice}" for each in found if each.advice)),
    )
