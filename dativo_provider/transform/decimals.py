"""Decimals, exactly. A float becomes the decimal its shortest text spells.

Arrow parses and rescales decimals without looking for overflow: beyond 38 digits it yields garbage and no error. So
whatever could overflow is bounded here first.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.transform.attempt import Converted, fail_all, fail_where, matches, trim, where_safe

__all__ = ["NUMBER", "decimal_from_text", "to_decimal"]

NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?$"
_SCIENTIFIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]{1,5}")
_EXACT = Context(prec=500)
_MOST_DIGITS = 38


def to_decimal(values: pa.Array, target: pa.DataType) -> Converted:
    if t.is_string(values.type):
        return decimal_from_text(values, target)
    if t.is_floating(values.type):
        return decimal_from_text(pc.cast(values, pa.string()), target)
    if t.is_integer(values.type):
        return _rescaled(pc.cast(values, pa.decimal128(20, 0)), target)
    if t.is_decimal(values.type):
        return _rescaled(values, target)
    return fail_all(values, target)


def decimal_from_text(values: pa.Array, target: pa.DataType) -> Converted:
    if _is_short(values, target):
        try:
            return pc.cast(values, target), None
        except pa.ArrowInvalid:
            pass
    text = trim(values)
    wrong = pc.invert(matches(text, NUMBER))
    bounded = rf"^([+-]?)0*([0-9]{{0,{target.precision - target.scale}}})(?:\.([0-9]{{0,{target.scale}}})0*)?$"
    plain = pc.and_not(matches(text, bounded), wrong)
    digits = pc.replace_substring_regex(pc.if_else(plain, text, None), bounded, r"\10\2.\3")
    spelled = _scientific(pc.if_else(plain, None, text), target)
    data = pc.coalesce(pc.cast(digits, target), spelled)
    return data, fail_where(values, pc.and_(pc.is_null(data), pc.is_valid(values)))[1]


def _is_short(values: pa.Array, target: pa.DataType) -> bool:
    """So short that no digit can be lost on the way, and without an exponent."""
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    if longest + target.scale > _MOST_DIGITS:
        return False
    return not pc.any(pc.match_substring(values, "e", ignore_case=True)).as_py()


def _scientific(text: pa.Array, target: pa.DataType) -> pa.Array:
    """`1.5e3`, exactly; NULL for what does not fit or is no number."""
    return pa.array([None if each is None else _read(each, target) for each in text.to_pylist()], target)


def _read(text: str, target: pa.DataType) -> Decimal | None:
    if not _SCIENTIFIC.fullmatch(text):
        return None
    number = _EXACT.create_decimal(text)
    if number.adjusted() >= target.precision - target.scale and number:
        return None
    fit = number.quantize(Decimal(1).scaleb(-target.scale), context=_EXACT)
    return fit if fit == Decimal(text) else None


def _rescaled(values: pa.Array, target: pa.DataType) -> Converted:
    if _whole_digits(values.type) + target.scale <= _MOST_DIGITS:
        try:
            return pc.cast(values, target), None
        except pa.ArrowInvalid:
            pass
    return where_safe(values, _misfits(values, target), target)


def _misfits(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Decimals with too many digits on either side of the point."""
    wrong = pc.and_(pc.is_null(values), False)
    if _whole_digits(values.type) > (room := _whole_digits(target)):
        top = pa.scalar(Decimal(10**room), values.type)
        wrong = pc.or_(pc.greater_equal(values, top), pc.less_equal(values, pc.negate(top)))
    if values.type.scale > target.scale:
        wrong = pc.or_(wrong, pc.not_equal(_cut(values, target.scale), values))
    return wrong


def _cut(values: pa.Array, scale: int) -> pa.Array:
    """Without the digits beyond `scale`. Arrow refuses to round where that leaves no digit at all."""
    if values.type.scale - scale >= values.type.precision:
        return pc.if_else(pc.is_valid(values), pa.scalar(Decimal(0), values.type), None)
    return pc.round(values, scale, round_mode="towards_zero")


def _whole_digits(kind: pa.DataType) -> int:
    return int(kind.precision - kind.scale)
