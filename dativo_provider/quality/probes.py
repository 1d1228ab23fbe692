"""One probe per check kind: the rows of a batch that violate it, or None when an aggregate shows there are none.

Masks have no NULLs. NULL violates only `required`; NaN violates every range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.alphabet import Alphabet
from dativo_provider.quality.limits import Limits, literal

__all__ = ["PROBES", "Probe", "lint_patterns"]

Mask: TypeAlias = Any  # pa.BooleanArray
# values of the column, mask of values the cast could not hold (NULL by now) → rows that violate, or None
Probe = Callable[[pa.Array, Mask | None], Mask | None]
Compare = Callable[[pa.Scalar, pa.Scalar], pa.Scalar]

_SAMPLE = 2048


def type_probe(_: CheckSpec, __: pa.DataType) -> Probe:
    """The cast has judged already."""
    return lambda _, failed: failed


def required_probe(check: CheckSpec, kind: pa.DataType) -> Probe:
    """A value that failed its cast is not missing: its `type` check says what is wrong with it."""
    words = _values(check.params.get("missing") or (), kind)
    longest = pc.max(pc.binary_length(words)).as_py() if len(words) and t.is_string(kind) else None

    def probe(values: pa.Array, failed: Mask | None) -> Mask | None:
        absent = pc.is_null(values) if values.null_count else None
        if absent is not None and failed is not None:
            absent = pc.and_not(absent, failed)
        if len(words) and (longest is None or _shortest(values) <= longest):
            said = pc.is_in(values, value_set=words)
            absent = said if absent is None else pc.or_(absent, said)
        return _some(absent)

    return probe


def _shortest(values: pa.Array) -> int:
    return pc.min(pc.binary_length(values)).as_py() or 0


def range_probe(check: CheckSpec, kind: pa.DataType) -> Probe:
    limits = Limits.of(check.params, kind)

    def probe(values: pa.Array, _: Mask | None) -> Mask | None:
        if limits.nothing:
            return _some(pc.is_valid(values))
        if _inside(values, limits):
            return None
        return _some(_outside(values, limits))

    return probe


def _inside(values: pa.Array, limits: Limits) -> bool:
    span = pc.min_max(values)
    low, high = span["min"], span["max"]
    if not low.is_valid:
        return bool(values.null_count == len(values))
    if limits.low is not None and not _compare(low, limits.low, limits.low_exclusive, pc.greater, pc.greater_equal):
        return False
    if limits.high is not None and not _compare(high, limits.high, limits.high_exclusive, pc.less, pc.less_equal):
        return False
    return not (t.is_floating(values.type) and pc.any(pc.is_nan(values)).as_py())


def _compare(value: pa.Scalar, bound: pa.Scalar, exclusive: bool, strictly: Compare, loosely: Compare) -> bool:
    return bool((strictly if exclusive else loosely)(value, bound).as_py())


def _outside(values: pa.Array, limits: Limits) -> Mask:
    masks = []
    if limits.low is not None:
        masks.append((pc.less_equal if limits.low_exclusive else pc.less)(values, limits.low))
    if limits.high is not None:
        masks.append((pc.greater_equal if limits.high_exclusive else pc.greater)(values, limits.high))
    if t.is_floating(values.type):
        masks.append(pc.is_nan(values))
    outside = masks[0]
    for mask in masks[1:]:
        outside = pc.or_(outside, mask)
    return pc.fill_null(outside, False)


def length_probe(check: CheckSpec, kind: pa.DataType) -> Probe:
    """Characters of text, bytes of binary, members of a list or map."""
    least, most = check.params.get("min", 0), check.params.get("max")
    measure = _measure(kind)

    def probe(values: pa.Array, _: Mask | None) -> Mask | None:
        # a text has at most as many characters as bytes, so bytes that fit need no counting of characters
        if least <= 1 and t.is_string(kind) and _within(pc.binary_length(values), least, most):
            return None
        lengths = measure(values)
        if _within(lengths, least, most):
            return None
        wrong = pc.less(lengths, least)
        wrong = wrong if most is None else pc.or_(wrong, pc.greater(lengths, most))
        return pc.fill_null(wrong, False)

    return probe


def _measure(kind: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    measure: Callable[[pa.Array], pa.Array] = _entries
    if t.is_string(kind):
        measure = pc.utf8_length
    elif t.is_binary(kind):
        measure = pc.binary_length
    elif t.is_list(kind):
        measure = pc.list_value_length
    return measure


def _entries(values: pa.MapArray) -> pa.Array:
    lengths = pc.subtract(values.offsets[1:], values.offsets[:-1])
    return pc.if_else(pc.is_valid(values), lengths, None)


def _within(lengths: pa.Array, least: int, most: int | None) -> bool:
    span = pc.min_max(lengths).as_py()
    shortest, longest = span["min"], span["max"]
    return shortest is None or bool(shortest >= least and (most is None or longest <= most))


def regex_probe(check: CheckSpec, _: pa.DataType) -> Probe:
    """RE2, searched for anywhere in the value. Text that repeats is matched once per distinct value."""
    pattern, negate = check.params["pattern"], bool(check.params.get("negate"))
    _compiled(check)
    alphabet = None if negate else Alphabet.of(pattern)

    def wrong(values: pa.Array) -> Mask:
        found = pc.match_substring_regex(values, pattern)
        return found if negate else pc.invert(found)

    def probe(values: pa.Array, _: Mask | None) -> Mask | None:
        if alphabet and alphabet.holds(values):
            return None
        return _some(pc.fill_null(_per_distinct(values, wrong), False))

    return probe


def _per_distinct(values: pa.Array, test: Callable[[pa.Array], Mask]) -> Mask:
    sample = values[:_SAMPLE]
    if len(sample) < _SAMPLE or pc.count_distinct(sample).as_py() > _SAMPLE // 8:
        return test(values)
    encoded = values.dictionary_encode()
    if len(encoded.dictionary) > len(values) // 4:
        return test(values)
    judged = test(encoded.dictionary)
    return judged.take(encoded.indices) if pc.any(judged).as_py() else pa.repeat(pa.scalar(False), len(values))


def enum_probe(check: CheckSpec, kind: pa.DataType) -> Probe:
    named, negate = _values(check.params["values"], kind), bool(check.params.get("negate"))

    def probe(values: pa.Array, _: Mask | None) -> Mask | None:
        known = pc.is_in(values, value_set=named)
        if negate:
            return _some(pc.and_(known, pc.is_valid(values)))
        if known.true_count == len(values) - values.null_count:
            return None
        return _some(pc.and_(pc.invert(known), pc.is_valid(values)))

    return probe


def _values(words: Iterable[Any], kind: pa.DataType) -> pa.Array:
    """The words the column's type can hold at all; another is never equal to a value of it."""
    made = []
    for word in words:
        try:
            value = literal(word, kind)
            made.append(pa.scalar(int(value) if t.is_integer(kind) and value == int(value) else value, kind).as_py())
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError):
            continue
    return pa.array(made, kind)


def _some(mask: Mask | None) -> Mask | None:
    return mask if mask is not None and mask.true_count else None


PROBES: Mapping[str, Callable[[CheckSpec, pa.DataType], Probe]] = {
    "type": type_probe,
    "required": required_probe,
    "range": range_probe,
    "length": length_probe,
    "regex": regex_probe,
    "enum": enum_probe,
}


def _compiled(check: CheckSpec) -> None:
    try:
        pc.match_substring_regex(pa.array([""]), check.params["pattern"])
    except pa.ArrowInvalid as error:
        raise ConfigurationError(
            f"check '{check.name}': the pattern {check.params['pattern']!r} cannot be used: {_why(str(error))}",
            where=check.declared_in,
            remedy="patterns are RE2, which has no look-around and no back-references: "
            "https://github.com/google/re2/wiki/Syntax",
        ) from None


def _why(message: str) -> str:
    return message.rpartition("Invalid regular expression: ")[2]


def lint_patterns(checks: Sequence[CheckSpec]) -> list[ConfigurationError]:
    """The checks whose pattern RE2 refuses, for `validate`. Imports nothing more, but this module imports pyarrow."""
    found = []
    for check in checks:
        if check.kind == "regex" and check.params.get("pattern"):
            try:
                _compiled(check)
            except ConfigurationError as error:
                found.append(error)
    return found
