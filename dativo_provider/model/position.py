"""A cursor's value as a person writes it, in the form that readers keep: ISO text in UTC, whole numbers, plain text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Cursor, Field

__all__ = ["is_after", "position"]

_BITS = {"int": 31, "long": 63}
_WHOLE = re.compile(r"int|long|decimal\(\d+,\s*0\)")


def position(column: Field, text: str) -> Cursor:
    """An ordered cursor at `text`: the next run reads what is at or after it. Raises `ConfigurationError`."""
    try:
        value = _canonical(column, text if column.type == "string" else text.strip())
    except (ValueError, InvalidOperation) as problem:
        raise ConfigurationError(
            f"'{text}' is no value of cursor '{column.name}', which is {column.type}",
            remedy=_remedy(column.type),
        ) from problem
    return Cursor({"column": column.name, "type": column.type, "value": value})


def _canonical(column: Field, text: str) -> str:
    kind = column.type
    if not text:
        raise ValueError("empty")
    if _WHOLE.fullmatch(kind):
        return _whole(kind, text)
    if kind.startswith("decimal"):
        return _exact(kind, Decimal(text))
    if kind in ("float", "double"):
        return _finite(float(text))
    if kind == "date":
        return date.fromisoformat(text).isoformat()
    if kind in ("timestamp", "timestamptz"):
        return _moment(column, datetime.fromisoformat(text))
    return str(UUID(text)) if kind == "uuid" else text


def _whole(kind: str, text: str) -> str:
    value = int(text)
    if "_" in text or not -_beyond(kind) <= value < _beyond(kind):
        raise ValueError("too large")
    return str(value)


def _beyond(kind: str) -> int:
    """The least number too large for it."""
    return 1 << _BITS[kind] if kind in _BITS else int(10 ** int(re.findall(r"\d+", kind)[0]))


def _exact(kind: str, value: Decimal) -> str:
    """As many digits as the column holds: rounding would move the cursor past rows."""
    digits, scale = map(int, re.findall(r"\d+", kind))
    if not value.is_finite() or abs(value) >= 10 ** (digits - scale) or value != round(value, scale):
        raise ValueError("does not fit")
    return str(value)


def _finite(value: float) -> str:
    if not isfinite(value):
        raise ValueError("not finite")
    return repr(value)


def _moment(column: Field, at: datetime) -> str:
    """A column without zone takes none: which wall clock was meant would be a guess."""
    if column.type == "timestamptz":
        at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(column.timezone or "UTC"))).astimezone(UTC)
    elif at.tzinfo:
        raise ValueError("zone")
    return at.isoformat(timespec="microseconds")


def _remedy(kind: str) -> str:
    if _WHOLE.fullmatch(kind):
        return "write a whole number that the column can hold"
    if kind.startswith("decimal"):
        return f"write a number with as many digits as {kind} holds: 12.50"
    return {
        "double": "write a number: 12.5",
        "float": "write a number: 12.5",
        "uuid": "write a UUID: 6f1c5a0e-7d3b-4c1e-9a51-2f0d8b7c4e11",
        "timestamptz": "write an ISO timestamp, best with its zone: 2026-03-01T00:00:00+00:00",
        "timestamp": "write an ISO timestamp without a zone, as the column holds it: 2026-03-01T00:00:00",
        "date": "write an ISO date: 2026-03-01",
    }.get(kind, "write a value as the column holds it")


def is_after(later: Cursor | None, earlier: Cursor | None) -> bool:
    """Whether `later` certainly leaves nothing to read that `earlier` has passed; unlike cursors: no."""
    if earlier is None or later is None:
        return earlier is None
    one, two = dict(later.value), dict(earlier.value)
    kind = str(two.get("type", ""))
    if one.get("column") != two.get("column") or one.get("type") != kind or "value" not in one or "value" not in two:
        return one == two
    return bool(_order(kind, str(one["value"])) >= _order(kind, str(two["value"])))


def _order(kind: str, value: str) -> Any:
    if _WHOLE.fullmatch(kind) or kind.startswith("decimal"):
        return Decimal(value)
    return datetime.fromisoformat(value) if kind in ("timestamp", "timestamptz", "date") else value
