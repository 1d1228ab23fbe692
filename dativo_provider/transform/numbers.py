"""Integers, floats and booleans: the value arrives exactly, or not at all.

Text may carry surrounding blanks, a plus sign and, for integers, a zero fraction (`12.0`).
A decimal becomes a double when it is exact or the double's shortest text is that decimal again.
"""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.transform.attempt import (
    Converted,
    attempt,
    either,
    fail_all,
    fail_where,
    from_text,
    trim,
    where_safe,
)
from dativo_provider.transform.decimals import NUMBER, decimal_from_text

__all__ = ["to_boolean", "to_floating", "to_integer"]

_TRUE = pa.array(["true", "t", "1", "yes", "y", "on"])
_FALSE = pa.array(["false", "f", "0", "no", "n", "off"])
_INTEGER_TEXT = r"^[ \t\r\n]*\+?(-?[0-9]+)(?:\.0*)?[ \t\r\n]*$"
_INTEGER = r"^-?0*[0-9]{1,38}$"
_WIDE = pa.decimal128(38, 0)
_FLOAT = NUMBER + r"|(?i)^[+-]?(?:nan|inf|infinity)$"
_EXACT_DIGITS = 15  # every decimal of that many digits survives a double


def to_boolean(values: pa.Array, target: pa.DataType) -> Converted:
    """`true t 1 yes y on` and their opposites in any case; of numbers only 0 and 1."""
    if t.is_string(values.type):
        word = pc.utf8_lower(trim(values))
        yes, no = pc.is_in(word, value_set=_TRUE), pc.is_in(word, value_set=_FALSE)
    elif t.is_integer(values.type):
        yes, no = pc.equal(values, 1), pc.equal(values, 0)
    else:
        return fail_all(values, target)
    known = pc.fill_null(pc.or_(yes, no), False)
    return fail_where(pc.if_else(pc.is_valid(values), yes, None), pc.and_(pc.is_valid(values), pc.invert(known)))


def to_integer(values: pa.Array, target: pa.DataType) -> Converted:
    if t.is_string(values.type):
        return _integer_from_text(values, target)
    if t.is_integer(values.type):
        return where_safe(values, _outside(values, target), target)
    if t.is_floating(values.type):
        # NaN is equal to nothing
        broken = pc.invert(pc.equal(pc.trunc(values), values))
        return where_safe(values, pc.or_(broken, _outside(values, target)), target)
    if t.is_boolean(values.type) or _decimal(values.type):
        return attempt(values, lambda v: pc.cast(v, target), target)
    return fail_all(values, target)


def _outside(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Beyond the integers of `target`, compared where both sides are exact."""
    top = 2 ** (target.bit_width - 1)
    if t.is_floating(values.type):
        return pc.or_(pc.less(values, float(-top)), pc.greater_equal(values, float(top)))
    wide = pc.cast(values, pa.decimal128(20, 0)) if t.is_uint64(values.type) else pc.cast(values, pa.int64())
    low, high = pa.scalar(-top, pa.int64()), pa.scalar(top - 1, pa.int64())
    return pc.or_(pc.less(wide, low), pc.greater(wide, high))


def _integer_from_text(values: pa.Array, target: pa.DataType) -> Converted:
    try:
        whole = pc.cast(values, target)
    except pa.ArrowInvalid:
        whole = None
    # Arrow reads 0x1F as 31; nobody who writes a contract expects that
    if whole is not None and not pc.any(pc.match_substring(values, "x", ignore_case=True)).as_py():
        return whole, None
    wide, alien = from_text(pc.replace_substring_regex(values, _INTEGER_TEXT, r"\1"), _INTEGER, _WIDE)
    low, high = (pa.scalar(bound, _WIDE) for bound in _bounds(target))
    data, outside = where_safe(wide, pc.or_(pc.less(wide, low), pc.greater(wide, high)), target)
    return data, either(alien, outside)


def _bounds(target: pa.DataType) -> tuple[int, int]:
    return -(2 ** (target.bit_width - 1)), 2 ** (target.bit_width - 1) - 1


def to_floating(values: pa.Array, target: pa.DataType) -> Converted:
    if t.is_string(values.type):
        return _floating_from_text(values, target)
    if _decimal(values.type):
        return _floating_from_decimal(values, target)
    if t.is_integer(values.type):
        return attempt(values, lambda v: pc.cast(v, target), target)
    if t.is_floating(values.type):
        return _floating_from_floating(values, target)
    return fail_all(values, target)


def _floating_from_text(values: pa.Array, target: pa.DataType) -> Converted:
    data, failed = _or_from_text(values, _FLOAT, target)
    infinite = pc.is_inf(data)
    if not pc.any(infinite).as_py():
        return data, failed
    data, overflown = fail_where(
        data, pc.and_(infinite, pc.invert(pc.match_substring(values, "inf", ignore_case=True)))
    )
    return data, either(failed, overflown)


def _or_from_text(values: pa.Array, grammar: str, target: pa.DataType) -> Converted:
    try:
        return pc.cast(values, target), None
    except pa.ArrowInvalid:
        return from_text(trim(values), grammar, target)


def _floating_from_floating(values: pa.Array, target: pa.DataType) -> Converted:
    data = pc.cast(values, target, safe=False)
    back = pc.cast(data, pa.float64(), safe=False)
    same = pc.or_(pc.equal(back, pc.cast(values, pa.float64(), safe=False)), pc.is_nan(values))
    return fail_where(data, pc.invert(same))


def _floating_from_decimal(values: pa.Array, target: pa.DataType) -> Converted:
    # through text, because Arrow's own decimal → double is often one unit in the last place off
    data = pc.cast(pc.cast(values, pa.string()), target)
    if values.type.precision <= _EXACT_DIGITS and target == pa.float64():
        return data, None
    back, unlike = decimal_from_text(pc.cast(data, pa.string()), values.type)
    doubtful = either(unlike, pc.fill_null(pc.not_equal(back, values), False))
    if not pc.any(doubtful).as_py():
        return data, None
    return fail_where(data, pc.and_(doubtful, pc.invert(_exactly(data, values))))


def _exactly(data: pa.Array, values: pa.Array) -> pa.BooleanArray:
    """A double can be a decimal of many digits exactly, although a shorter text names it."""
    pairs = zip(data.to_pylist(), values.to_pylist(), strict=True)
    return pa.array([number is None or Decimal(number) == decimal for number, decimal in pairs], pa.bool_())


def _decimal(kind: pa.DataType) -> bool:
    return bool(t.is_decimal(kind))
