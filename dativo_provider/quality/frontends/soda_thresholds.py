"""`threshold:` of a Soda 4 check: operators, ranges, a level, and a second threshold of another level."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import only_number, refuse
from dativo_provider.quality.frontends.thresholds import Threshold, Unit

__all__ = ["OPERATORS", "Level", "levels"]

OPERATORS = {
    "must_be": "mustBe", "must_not_be": "mustNotBe", "must_be_greater_than": "mustBeGreaterThan",
    "must_be_greater_than_or_equal": "mustBeGreaterOrEqualTo", "must_be_less_than": "mustBeLessThan",
    "must_be_less_than_or_equal": "mustBeLessOrEqualTo", "must_be_between": "mustBeBetween",
    "must_be_not_between": "mustNotBeBetween", "must_not_be_between": "mustNotBeBetween",
}  # fmt: skip
_OTHERS = frozenset({"metric", "unit", "level", "additional"})
_SEVERITIES = {"fail": "error", "warn": "warning"}


@dataclass(frozen=True)
class Level:
    """One decision: all of `allowed` must hold, else the check fails with `severity`."""

    allowed: tuple[Threshold, ...]
    severity: str  # empty: the check's own


def levels(rule: Rule, given: Any, default: Threshold | None) -> list[Level]:
    """What the threshold decides; without one, `default`. Raises `ConfigurationError`."""
    if given is None:
        if default is None:
            refuse(rule, "it has no threshold", "add threshold: {must_be_less_than: 10}")
        return [Level((default,), "")]
    if not isinstance(given, Mapping):
        refuse(rule, "threshold must be a mapping", "write threshold: {must_be_less_than: 10}")
    for key in given.keys() - OPERATORS.keys() - _OTHERS:
        near = difflib.get_close_matches(str(key), [*OPERATORS, *_OTHERS], n=1)
        refuse(rule, f"unknown key '{key}' in threshold", f"did you mean '{near[0]}'?" if near else "")
    unit: Unit = "percent" if given.get("metric") == "percent" else "rows"
    found = [_level(rule, given, unit, default)]
    if isinstance(given.get("additional"), Mapping):
        found.append(_level(rule, given["additional"], unit, None))
    return found


def _level(rule: Rule, given: Mapping[str, Any], unit: Unit, default: Threshold | None) -> Level:
    words = [key for key in given if key in OPERATORS]
    if len(words) > 1 or (not words and default is None):
        refuse(rule, "a threshold has one operator", "such as must_be_less_than: 10")
    severity = _severity(rule, given.get("level"))
    if not words:
        assert default is not None
        return Level((Threshold(default.op, default.value, unit),), severity)
    return Level(tuple(_allowed(rule, words[0], given[words[0]], unit)), severity)


def _severity(rule: Rule, level: Any) -> str:
    if level is None:
        return ""
    if level not in _SEVERITIES:
        refuse(rule, f"level: '{level}' is unknown", "write warn or fail")
    return _SEVERITIES[level]


def _allowed(rule: Rule, word: str, value: Any, unit: Unit) -> Iterator[Threshold]:
    op = OPERATORS[word]
    if not op.endswith("Between"):
        if not only_number(value):
            refuse(rule, f"{word}: {value!r} is no number", "write a number")
        yield Threshold(op, value, unit)
        return
    low, high, above, below = _ends(rule, word, value)
    if op == "mustBeBetween" and (above or below):
        yield Threshold("mustBeGreaterThan" if above else "mustBeGreaterOrEqualTo", low, unit)
        yield Threshold("mustBeLessThan" if below else "mustBeLessOrEqualTo", high, unit)
    elif op == "mustNotBeBetween" and not (above and below):
        refuse(rule, f"{word} with ends that pass is not known here", "use greater_than and less_than")
    else:
        yield Threshold(op, [low, high], unit)


def _ends(rule: Rule, word: str, value: Any) -> tuple[Any, Any, bool, bool]:
    """Both ends in order, and whether each is excluded. `[1, 5]` is understood beside Soda's mapping."""
    if isinstance(value, list) and len(value) == 2 and all(map(only_number, value)):
        outside = OPERATORS[word] == "mustNotBeBetween"
        return value[0], value[1], outside, outside
    given = value if isinstance(value, Mapping) else {}
    lows = [given[key] for key in ("greater_than", "greater_than_or_equal") if only_number(given.get(key))]
    highs = [given[key] for key in ("less_than", "less_than_or_equal") if only_number(given.get(key))]
    if len(lows) != 1 or len(highs) != 1:
        refuse(rule, f"{word}: {value!r}", "write {greater_than: 1, less_than_or_equal: 5}")
    first, last = sorted((lows[0], highs[0]))
    return first, last, "greater_than" in given, "less_than" in given
