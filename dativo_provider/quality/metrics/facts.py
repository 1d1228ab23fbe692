"""Aggregates that footers of the staged files can tell, by their words; a check they settle reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dativo_provider.quality.metrics.base import Measures, Scene, Values

__all__ = ["told"]

Known = Mapping[str, Any]

# of so many rows and what is known of a column; KeyError where that is not enough
_WORDS: Mapping[str, Callable[[int, Known], Any]] = {
    "rows": lambda rows, _: rows,
    "values": lambda rows, known: rows - known["nulls"],
    "null_count": lambda _, known: known["nulls"],
    "null_share": lambda rows, known: known["nulls"] / rows,
    "min": lambda _, known: known["min"],
    "max": lambda _, known: known["max"],
}


def told(asked: Mapping[str, Measures], scene: Scene) -> dict[str, Values]:
    """The values of those checks of which footers know every one."""
    fitting = {name: each.facts for name, each in asked.items() if _fits(each)}
    columns = sorted({column for facts in fitting.values() for _, column in facts.values()})
    if not columns or not scene.rows:
        return {}
    known = scene.facts(columns)
    return dict(_told(fitting, scene.rows, known))


def _fits(asked: Measures) -> bool:
    return (
        bool(asked.facts)
        and asked.facts.keys() == asked.aggregates.keys()
        and all(word in _WORDS for word, _ in asked.facts.values())
    )


def _told(
    asked: Mapping[str, Mapping[str, tuple[str, str]]], rows: int, known: Mapping[str, Known]
) -> Iterable[tuple[str, Values]]:
    for name, facts in asked.items():
        try:
            yield name, {key: _WORDS[word](rows, known.get(column, {})) for key, (word, column) in facts.items()}
        except KeyError:
            continue
