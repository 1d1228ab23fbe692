"""Checks in the words of Soda's first contracts, as in ODCS's examples: `type: duplicate_percent`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.soda_thresholds import OPERATORS

__all__ = ["is_legacy", "translated"]

_COUNTED = re.compile(r"^(?:no_)?(missing|invalid|duplicate)(?:_(count|percent|values))?$")
_AGGREGATES = ("avg", "sum", "min", "max", "avg_length", "min_length", "max_length", "stddev", "variance")
_UNITS = {"freshness_in_days": "day", "freshness_in_hours": "hour", "freshness_in_minutes": "minute"}
_BESIDE = frozenset({"name", "id", "severity", "on_violation", "description", "dimension"})


def is_legacy(body: Mapping[str, Any]) -> bool:
    word = str(body.get("type") or "")
    operators = any(key in OPERATORS for key in body)
    return bool(_COUNTED.match(word) or word in _UNITS or (operators and word in (*_AGGREGATES, "row_count")))


def translated(rule: Rule) -> dict[str, Any]:
    """The body as Soda 4 writes it."""
    word = str(rule.body["type"])
    threshold = {key: value for key, value in rule.body.items() if key in OPERATORS}
    given = {key: value for key, value in rule.body.items() if key not in {"type", *OPERATORS, *_BESIDE}}
    beside = {key: value for key, value in rule.body.items() if key in _BESIDE}
    if match := _COUNTED.match(word):
        metric = {"metric": "percent"} if match[2] == "percent" else {}
        word, threshold = match[1], {**threshold, **metric}
    elif word in _UNITS:
        word, threshold = "freshness", {**threshold, "unit": _UNITS[word]}
    elif word in _AGGREGATES:
        word, given = "aggregate", {**given, "function": word}
    return {word: {**given, **({"threshold": threshold} if threshold else {})}, **beside}
