"""Bounds as values of the column's own Arrow type, so that comparing is exact and needs no cast.

A bound between two values of an integer or decimal column moves to the next value inside; one beyond the type's
reach lets everything through, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as t

__all__ = ["Limits", "literal"]

_WIDE = Context(prec=100)


@dataclass(frozen=True)
class Limits:
    """Values below `low` or above `high` fail, and equal ones where the end is exclusive. None: no limit."""

    low: pa.Scalar | None = None
    high: pa.Scalar | None = None
    low_exclusive: bool = False
    high_exclusive: bool = False
    nothing: bool = False  # no value of the type lies inside

    @classmethod
    def of(cls, params: Mapping[str, Any], kind: pa.DataType) -> Limits:
        low, low_exclusive = _tighter(params.get("min"), params.get("exclusive_min"), kind, max)
        high, high_exclusive = _tighter(params.get("max"), params.get("exclusive_max"), kind, min)
        if not _stepped(kind):
            return cls(_scalar(low, kind), _scalar(high, kind), low_exclusive, high_exclusive)
        return cls._stepped(low, high, low_exclusive, high_exclusive, kind)

    @classmethod
    def _stepped(cls, low: Any, high: Any, low_exclusive: bool, high_exclusive: bool, kind: pa.DataType) -> Limits:
        first, last = _reach(kind)
        step = Decimal(1).scaleb(-_scale(kind), _WIDE)
        least = None if low is None else _snap(low, step, ROUND_CEILING, low_exclusive)
        most = None if high is None else _snap(high, step, ROUND_FLOOR, high_exclusive)
        if (least is not None and least > last) or (most is not None and most < first):
            return cls(nothing=True)
        return cls(
            None if least is None or least <= first else _exact(least, kind),
            None if most is None or most >= last else _exact(most, kind),
        )


def _tighter(inclusive: Any, exclusive: Any, kind: pa.DataType, pick: Any) -> tuple[Any, bool]:
    """Of both bounds of one end, the one that lets less through."""
    ends = [
        (literal(value, kind), edge) for value, edge in ((inclusive, False), (exclusive, True)) if value is not None
    ]
    if not ends:
        return None, False
    tightest = pick(value for value, _ in ends)
    return tightest, any(edge for value, edge in ends if value == tightest)


def literal(value: Any, kind: pa.DataType) -> Any:
    """The Python value of a JSON value as `quality.frontends` stores it."""
    if t.is_integer(kind) or t.is_decimal(kind):
        return Decimal(str(value))
    if t.is_floating(kind):
        return float(value)
    if t.is_date(kind):
        return date.fromisoformat(value)
    if t.is_time(kind):
        return time.fromisoformat(value)
    if t.is_timestamp(kind):
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if kind.tz else moment
    return value


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar | None:
    return None if value is None else pa.scalar(value, kind)


def _stepped(kind: pa.DataType) -> bool:
    return bool(t.is_integer(kind) or t.is_decimal(kind))


def _scale(kind: pa.DataType) -> int:
    return int(kind.scale) if t.is_decimal(kind) else 0


def _reach(kind: pa.DataType) -> tuple[Decimal, Decimal]:
    if t.is_decimal(kind):
        most = Decimal(10**kind.precision - 1).scaleb(-kind.scale, _WIDE)
        return most.copy_negate(), most
    if t.is_unsigned_integer(kind):
        return Decimal(0), Decimal(2**kind.bit_width - 1)
    return Decimal(-(2 ** (kind.bit_width - 1))), Decimal(2 ** (kind.bit_width - 1) - 1)


def _snap(bound: Decimal, step: Decimal, rounding: str, exclusive: bool) -> Decimal:
    """The last value inside the bound."""
    inside = bound.quantize(step, rounding, _WIDE) if _fits(bound, step) else bound
    if exclusive and inside == bound:
        inside = _WIDE.add(inside, step if rounding == ROUND_CEILING else step.copy_negate())
    return inside


def _fits(bound: Decimal, step: Decimal) -> bool:
    return bound.adjusted() - step.adjusted() < 90


def _exact(value: Decimal, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(int(value) if t.is_integer(kind) else value, kind)
