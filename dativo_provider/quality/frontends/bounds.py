"""Bounds and allowed values, held against the type of their column when the contract is read.

The result is JSON: exact numbers as text for decimals and integers out of a double's reach, ISO text for moments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import Rule
from dativo_provider.model.stream import Field

__all__ = ["conform"]

_BOUNDS = ("min", "max", "exclusive_min", "exclusive_max")


def conform(kind: str, params: Mapping[str, Any], column: Field, rule: Rule) -> dict[str, Any]:
    """The params that depend on the column's type, typed. Raises `ConfigurationError`."""
    if kind == "range":
        made = {key: _typed(params[key], column, key, rule) for key in _BOUNDS if params.get(key) is not None}
        _ordered(made, column, rule)
        return made
    if kind == "length":
        return {key: _count(params[key], key, rule) for key in ("min", "max") if params.get(key) is not None}
    if kind == "enum":
        return {"values": [_typed(value, column, "values", rule) for value in params["values"] if value is not None]}
    if kind == "required" and params.get("missing"):
        return {"missing": [_typed(value, column, "missingValues", rule) for value in params["missing"]]}
    return {}


def _ordered(bounds: Mapping[str, Any], column: Field, rule: Rule) -> None:
    low, high = bounds.get("min", bounds.get("exclusive_min")), bounds.get("max", bounds.get("exclusive_max"))
    if low is None or high is None:
        return
    number = _family(column.type) == "number"
    if (Decimal(str(low)) > Decimal(str(high))) if number else (low > high):
        raise _error(rule, column, f"the lower bound {low} is above the upper bound {high}", "swap them")


def _typed(value: Any, column: Field, key: str, rule: Rule) -> Any:
    convert = _CONVERT.get(_family(column.type))
    try:
        return convert(value) if convert else _as_json(value)
    except (ValueError, InvalidOperation):
        remedy = "quote it" if isinstance(value, bool) and _family(column.type) == "text" else f"write a {column.type}"
        raise _error(rule, column, f"{key}: {value!r} is no {column.type}", remedy) from None


def _family(name: str) -> str:
    base = re.split(r"[(<]", name)[0]
    if base in ("int", "long", "float", "double", "decimal"):
        return "number"
    return "text" if base == "string" else base


def _number(value: Any) -> int | float | str:
    """Exact: a text where JSON's double would not be."""
    if isinstance(value, bool):
        raise ValueError(value)
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError(value)
    if isinstance(value, (int, float)):
        return value
    return str(number)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # YAML reads an unquoted code such as 4711 as a number
    raise ValueError(value)


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        raise ValueError(value)
    return value.isoformat() if isinstance(value, date) else date.fromisoformat(_str(value)).isoformat()


def _time(value: Any) -> str:
    made = value if isinstance(value, time) else time.fromisoformat(_str(value))
    if made.tzinfo is not None:
        raise ValueError(value)
    return made.isoformat()


def _timestamp(value: Any) -> str:
    made = _moment(value)
    if made.tzinfo is not None:
        raise ValueError(value)
    return made.isoformat()


def _timestamptz(value: Any) -> str:
    """A bound without zone is UTC."""
    made = _moment(value)
    return made.isoformat() if made.tzinfo is not None else made.isoformat() + "+00:00"


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value.isoformat() if isinstance(value, date) else _str(value))


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "number": _number, "text": _text, "date": _date, "time": _time, "timestamp": _timestamp,
    "timestamptz": _timestamptz, "boolean": _boolean, "uuid": lambda value: _str(value).lower(),
}  # fmt: skip


def _count(value: Any, key: str, rule: Rule) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(
            f"{key}: {value!r} is no length", where=rule.declared_in, remedy="write a whole number from 0 on"
        )
    return value


def _error(rule: Rule, column: Field, problem: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"check on column '{column.name}': {problem}", where=rule.declared_in, remedy=remedy)
