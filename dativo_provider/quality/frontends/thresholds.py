"""How many failures are allowed: the operators of ODCS, which Soda spells with underscores.

`mustBeBetween` includes both ends, as every tool reads it (the 3.1 text says otherwise).
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import Rule

__all__ = ["OPERATORS", "Threshold", "threshold"]

Unit = Literal["rows", "percent"]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "mustBe": operator.eq,
    "mustNotBe": operator.ne,
    "mustBeGreaterThan": operator.gt,
    "mustBeGreaterOrEqualTo": operator.ge,
    "mustBeLessThan": operator.lt,
    "mustBeLessOrEqualTo": operator.le,
    "mustBeBetween": lambda value, ends: ends[0] <= value <= ends[1],
    "mustNotBeBetween": lambda value, ends: not ends[0] <= value <= ends[1],
}
OPERATORS = tuple(_COMPARE)
_SIGNS = {
    "mustBe": "=", "mustNotBe": "≠", "mustBeGreaterThan": ">", "mustBeGreaterOrEqualTo": "≥", "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "≤", "mustBeBetween": "between", "mustNotBeBetween": "not between",
}  # fmt: skip


@dataclass(frozen=True)
class Threshold:
    """`op` is a word of ODCS; `value` a number, or two for the between operators."""

    op: str
    value: Any
    unit: Unit = "rows"

    def to_dict(self) -> dict[str, Any]:
        return {"op": self.op, "value": self.value, "unit": self.unit}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Threshold:
        return cls(given["op"], given["value"], given["unit"])

    @property
    def zero(self) -> bool:
        """No failure at all is allowed, which makes each failing row one too many."""
        return (self.op, self.value) in (("mustBe", 0), ("mustBeLessOrEqualTo", 0)) or (
            self.op == "mustBeLessThan" and self.unit == "rows" and 0 < self.value <= 1
        )

    def holds(self, count: float, total: float) -> bool:
        observed = count if self.unit == "rows" else count * 100 / total if total else 0.0
        return _COMPARE[self.op](observed, self.value)

    def __str__(self) -> str:
        value = " and ".join(map(str, self.value)) if isinstance(self.value, (list, tuple)) else str(self.value)
        return f"{_SIGNS[self.op]} {value}" + (" %" if self.unit == "percent" else "")


def threshold(rule: Rule) -> Threshold | None:
    """The operator of the rule; None when it has none. Raises `ConfigurationError` for two, or a misspelt one."""
    given = [key for key in rule.body if key.startswith(("must", "Must"))]
    for key in given:
        if key not in _COMPARE:
            near = difflib.get_close_matches(key, OPERATORS, n=1)
            raise _error(rule, f"unknown operator '{key}'", f"did you mean '{near[0]}'?" if near else "")
    if len(given) > 1:
        raise _error(rule, f"two operators, {' and '.join(given)}", "keep one; mustBeBetween takes two ends")
    if not given:
        return None
    return Threshold(given[0], _value(rule, given[0]), _unit(rule))


def _unit(rule: Rule) -> Unit:
    unit = rule.body.get("unit") or "rows"
    if unit not in ("rows", "percent"):
        raise _error(rule, f"unit: '{unit}' is unknown", "write rows or percent")
    return cast("Unit", unit)


def _value(rule: Rule, op: str) -> Any:
    value = rule.body[op]
    if op.endswith("Between"):
        if isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_number, value)) and value[0] <= value[1]:
            return list(value)
        raise _error(rule, f"{op}: {value!r}", "write two numbers in order, such as [1, 100]")
    if not _number(value):
        raise _error(rule, f"{op}: {value!r} is no number", "write a number")
    return value


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _error(rule: Rule, problem: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"quality rule: {problem}", where=rule.declared_in, remedy=remedy)
