"""Words that checks of the short form share: columns, and what a number may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, did_you_mean, only_number, refuse
from dativo_provider.quality.frontends.thresholds import Threshold

__all__ = ["BOUNDS", "allowed", "mapping", "named", "needed", "one_of", "some", "text"]

BOUNDS = frozenset({"min", "max", "exclusive_min", "exclusive_max", "unit"})
_OPERATORS = {
    "min": "mustBeGreaterOrEqualTo", "max": "mustBeLessOrEqualTo", "exclusive_min": "mustBeGreaterThan",
    "exclusive_max": "mustBeLessThan",
}  # fmt: skip


def named(rule: Rule, contract: Contract) -> tuple[str, ...]:
    names = next((rule.body[key] for key in ("columns", "column", "field") if rule.body.get(key)), rule.column or ())
    names = names if isinstance(names, (list, tuple)) else [names]
    return tuple(contract.column(name, rule).name for name in names)


def some(rule: Rule, contract: Contract) -> tuple[str, ...]:
    found = named(rule, contract)
    if not found:
        refuse(rule, f"a {rule.body['type']} check needs a column", "add column: NAME")
    return found


def text(rule: Rule, key: str, example: str) -> str:
    value = rule.body.get(key)
    if not isinstance(value, str) or not value.strip():
        refuse(rule, f"a {rule.body['type']} check needs {key}", f"add {key}: {example}")
    return value


def mapping(rule: Rule, key: str) -> dict[str, Any]:
    value = rule.body.get(key)
    if value is not None and not isinstance(value, dict):
        refuse(rule, f"{key} must be a mapping")
    return value or {}


def one_of(rule: Rule, key: str, words: Sequence[str], default: str) -> str:
    value = rule.body.get(key) or default
    if value not in words:
        refuse(
            rule, f"{key}: '{value}' is unknown", did_you_mean(str(value), words) or f"write one of {', '.join(words)}"
        )
    return str(value)


def allowed(rule: Rule, *, texts: bool = False) -> Threshold | None:
    """From `min` and `max`, or their exclusive forms; None without any. With `texts` a bound may be a moment."""
    given = {key: rule.body[key] for key in _OPERATORS if rule.body.get(key) is not None}
    for key, value in given.items():
        if not (only_number(value) or (texts and isinstance(value, str))):
            refuse(rule, f"{key}: {value!r} is no number", "write a number")
    unit = one_of(rule, "unit", ("rows", "percent"), "rows")
    if not given:
        return None
    if set(given) == {"min", "max"}:
        if given["min"] > given["max"]:
            refuse(rule, f"min {given['min']} is above max {given['max']}", "swap them")
        return Threshold("mustBeBetween", [given["min"], given["max"]], unit)  # type: ignore[arg-type]
    if len(given) > 1:
        refuse(rule, f"{' and '.join(given)} cannot stand together", "write min and max, or a check for each")
    ((key, value),) = given.items()
    return Threshold(_OPERATORS[key], value, unit)  # type: ignore[arg-type]


def needed(rule: Rule, *, texts: bool = False) -> Threshold:
    found = allowed(rule, texts=texts)
    if found is None:
        refuse(rule, f"a {rule.body['type']} check needs min or max", "add min: 1")
    return found
