"""Dates and times: ISO 8601 with `T` or a blank; zones are neither invented nor lost.

Text: `YYYY-MM-DD[T ]HH[:MM[:SS[.f…]]]` with an optional `Z`, ` UTC`, `±hh`, `±hhmm` or `±hh:mm`. More than six
digits of fraction must be zeros. Nothing of the form 01/02/2024 is guessed at. A value without zone in a
`timestamptz` column is wall time in the column's time zone: the earlier instant where clocks were set back,
a failure where they were set forward and the time never was. A value with a zone in a `timestamp` column fails.
"""

from __future__ import annotations

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
    matches,
    trim,
)

__all__ = ["to_date", "to_time", "to_timestamp", "to_timestamptz"]

_US = pa.timestamp("us")
_UTC = pa.timestamp("us", tz="UTC")
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?"
_ZONE = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_NAIVE = rf"^{_DAY}(?:[T ]{_CLOCK})?$"
_ZONED = rf"^{_DAY}[T ]{_CLOCK}{_ZONE}$"
_TIME = r"^[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?$"
_MIDNIGHT = rf"^({_DAY})[T ]00:00(?::00(?:\.0+)?)?$"
_FIRST, _LAST = -62135596800000000, 253402300799999999  # years 1 to 9999, which every engine can show


def to_date(values: pa.Array, target: pa.DataType) -> Converted:
    """A timestamp is a date only at midnight."""
    if t.is_string(values.type):
        return _date_from_text(values, target)
    if t.is_date(values.type):
        return attempt(values, lambda v: pc.cast(v, target), target)
    if t.is_timestamp(values.type) and values.type.tz is None:
        data = pc.cast(values, target, safe=False)
        return fail_where(data, pc.not_equal(pc.cast(data, values.type), values))
    return fail_all(values, target)


def _date_from_text(values: pa.Array, target: pa.DataType) -> Converted:
    try:
        data, failed = pc.cast(values, target), None
    except pa.ArrowInvalid:
        data, failed = from_text(pc.replace_substring_regex(trim(values), _MIDNIGHT, r"\1"), rf"^{_DAY}$", target)
    data, early = fail_where(data, pc.less(pc.cast(data, pa.int32()), _FIRST // 86_400_000_000))
    return data, either(failed, early)


def to_time(values: pa.Array, target: pa.DataType) -> Converted:
    if t.is_time(values.type):
        return attempt(values, lambda v: pc.cast(v, target), target)
    if not t.is_string(values.type):
        return fail_all(values, target)
    clock, alien = _only(_tidy(values), _TIME)
    moment, failed = attempt(clock, lambda v: pc.cast(pc.binary_join_element_wise("1970-01-01", v, "T"), _US), _US)
    return pc.cast(moment, target), either(alien, failed)


def to_timestamp(values: pa.Array, target: pa.DataType) -> Converted:
    """Wall time without zone."""
    if t.is_string(values.type):
        return _timestamp_from_text(values)
    if t.is_timestamp(values.type) and values.type.tz is None:
        return attempt(values, lambda v: pc.cast(v, target), target)
    if t.is_date(values.type):
        return attempt(values, lambda v: pc.cast(v, target), target)
    return fail_all(values, target)


def to_timestamptz(values: pa.Array, zone: str) -> Converted:
    if t.is_string(values.type):
        return _timestamptz_from_text(values, zone)
    if t.is_timestamp(values.type) and values.type.tz is not None:
        return attempt(values, lambda v: pc.cast(v, _UTC), _UTC)
    naive, failed = to_timestamp(values, _US)
    data, missing = _in_zone(naive, zone)
    return data, either(failed, missing)


def _timestamp_from_text(values: pa.Array) -> Converted:
    try:
        return _in_range(pc.cast(values, _US), None)
    except pa.ArrowInvalid:
        return _in_range(*from_text(_tidy(values), _NAIVE, _US))


def _timestamptz_from_text(values: pa.Array, zone: str) -> Converted:
    try:  # all as the first one: with a zone, or without
        return _placed(pc.cast(values, _UTC if _is_zoned(values) else _US), zone)
    except pa.ArrowInvalid:
        tidy = _tidy(values)
    zoned = matches(tidy, _ZONED)
    fixed, wrong = from_text(pc.if_else(zoned, tidy, None), _ZONED, _UTC)
    naive, alien = from_text(pc.if_else(zoned, None, tidy), _NAIVE, _US)
    local, missing = _in_zone(naive, zone)
    return _in_range(pc.coalesce(fixed, local), either(wrong, alien, missing))


def _is_zoned(values: pa.Array) -> bool:
    first = pc.index(pc.is_valid(values), True).as_py()
    return first >= 0 and bool(matches(values[first : first + 1], _ZONED)[0].as_py())


def _placed(moments: pa.Array, zone: str) -> Converted:
    return _in_range(moments, None) if moments.type.tz else _in_range(*_in_zone(moments, zone))


def _in_zone(naive: pa.Array, zone: str) -> Converted:
    if zone == "UTC":
        return pc.cast(naive, _UTC), None
    try:
        return pc.cast(pc.assume_timezone(naive, zone, ambiguous="earliest"), _UTC), None
    except pa.ArrowInvalid:
        before = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest")
    after = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")
    return fail_where(pc.cast(before, _UTC), pc.not_equal(before, after))


def _in_range(data: pa.Array, failed: pa.BooleanArray | None) -> Converted:
    span = pc.min_max(pc.cast(data, pa.int64()))
    if span["min"].as_py() is None or (span["min"].as_py() >= _FIRST and span["max"].as_py() <= _LAST):
        return data, failed
    number = pc.cast(data, pa.int64())
    data, outside = fail_where(data, pc.or_(pc.less(number, _FIRST), pc.greater(number, _LAST)))
    return data, either(failed, outside)


def _tidy(values: pa.Array) -> pa.Array:
    """Blanks around, zeros past the microsecond and the blank before a zone go; ` UTC` becomes `Z`."""
    text = pc.replace_substring_regex(trim(values), r"(\.[0-9]{6})0+", r"\1")
    text = pc.replace_substring_regex(text, r" ?(?:UTC|[zZ])$", "Z")
    return pc.replace_substring_regex(text, rf" ({_ZONE})$", r"\1")


def _only(values: pa.Array, grammar: str) -> Converted:
    return fail_where(values, pc.invert(matches(values, grammar)))
