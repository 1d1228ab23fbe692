"""What a check or a promise guarantees less than it did before: readers may rely on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from dativo_provider.config.promises import strength
from dativo_provider.config.shapes.contract import SlaProperty
from dativo_provider.model.checks import CheckSpec

__all__ = ["weaker_check", "weaker_promise"]

_RANKS = {"info": 0, "warning": 1, "error": 2, "warn": 0, "quarantine": 1, "block": 1}


def weaker_check(old: CheckSpec, new: CheckSpec) -> list[str]:
    """In words; empty where the new check lets nothing through that the old one did not, or where that is unknown."""
    return [what for what, is_weaker in _compared(old, new) if is_weaker]


def _compared(old: CheckSpec, new: CheckSpec) -> Iterator[tuple[str, bool]]:
    yield f"its severity is {new.severity}", _RANKS[new.severity] < _RANKS[old.severity]
    yield f"a violation does no more than {new.on_violation}", _RANKS[new.on_violation] < _RANKS[old.on_violation]
    yield "it tolerates more", new.tolerance > old.tolerance
    yield "it allows more values", _allows_more(old.params, new.params)
    yield "its bounds are wider", _wider(old.params, new.params)
    yield "more rows may fail", _wider(_ends_of(old.params), _ends_of(new.params))
    ages = [check.params.get("max_age_seconds", 0) for check in (old, new)]
    yield "older rows are allowed", ages[1] > ages[0]


def _allows_more(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if "values" not in old or "values" not in new:
        return False
    had, has = ({str(value) for value in each["values"]} for each in (old, new))
    return bool(had - has if new.get("negate") else has - had)


def _ends_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a count may be, as bounds; a share of rows is none of their number."""
    allowed = params.get("allowed") or {"op": "mustBe", "value": 0}
    keys, value = _ENDS.get(allowed["op"], ()), allowed["value"]
    values = value if isinstance(value, list | tuple) else [value] * len(keys)
    return {"unit": allowed.get("unit"), **dict(zip(keys, values, strict=False))}


_ENDS = {
    "mustBe": ("min", "max"), "mustBeBetween": ("min", "max"), "mustBeLessThan": ("exclusive_max",),
    "mustBeLessOrEqualTo": ("max",), "mustBeGreaterThan": ("exclusive_min",), "mustBeGreaterOrEqualTo": ("min",),
}  # fmt: skip


def _wider(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    units = {old.get("unit"), new.get("unit")} - {None}  # none is none, in rows or in percent
    if len(units) > 1:
        return False
    pairs = [(_end(old, end, sign), _end(new, end, sign)) for end, sign in (("min", 1), ("max", -1))]
    return any(was is not None and (now is None or now < was) for was, now in pairs)


def _end(params: Mapping[str, Any], end: str, sign: int) -> tuple[Decimal, bool] | None:
    """Greater is stricter; None is no bound."""
    for key in (f"exclusive_{end}", end):
        if params.get(key) is not None:
            return sign * _number(params[key]), key != end
    return None


def _number(value: Any) -> Decimal:
    """Of a number or a moment; other bounds are all alike."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        pass
    try:
        return Decimal(datetime.fromisoformat(str(value)).timestamp())
    except ValueError:
        return Decimal(0)


def weaker_promise(old: SlaProperty, new: SlaProperty) -> bool:
    was, now = strength(old), strength(new)
    return was is not None and (now is None or now < was)
