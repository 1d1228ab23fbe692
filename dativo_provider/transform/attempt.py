"""Convert a column at once; only when that fails, find the values to blame.

A conversion is a pair: the column in its new type, and a mask of the values it cannot hold (None: it holds all).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "Converted", "Step", "attempt", "either", "fail_all", "fail_where", "from_text", "matches", "trim", "where_safe",
]  # fmt: skip

Converted = tuple[pa.Array, pa.BooleanArray | None]
Step = Callable[[pa.Array], pa.Array]

_BLANKS = r"^[ \t\r\n]+|[ \t\r\n]+$"
_REFUSALS = (pa.ArrowInvalid, pa.ArrowNotImplementedError)


def attempt(values: pa.Array, step: Step, target: pa.DataType) -> Converted:
    """`step(values)`, with the values it refuses as NULL and marked. `step` must work value by value."""
    try:
        return step(values), None
    except _REFUSALS:
        distinct = values.dictionary_encode()
    pieces = list(_halves(distinct.dictionary, step, target))
    converted = pa.concat_arrays([piece for piece, _ in pieces])
    refused = pa.concat_arrays([mask for _, mask in pieces])
    return converted.take(distinct.indices), pc.fill_null(refused.take(distinct.indices), False)


def _halves(values: pa.Array, step: Step, target: pa.DataType) -> list[tuple[pa.Array, pa.BooleanArray]]:
    """Cut in two until every piece converts or is one refused value."""
    try:
        return [(step(values), _constant(False, len(values)))]
    except _REFUSALS:
        if len(values) == 1:
            return [(pa.nulls(1, target), _constant(True, 1))]
    middle = len(values) // 2
    return _halves(values[:middle], step, target) + _halves(values[middle:], step, target)


def _constant(value: bool, length: int) -> pa.BooleanArray:
    return pa.repeat(pa.scalar(value), length)


def fail_all(values: pa.Array, target: pa.DataType) -> Converted:
    """No value of this column can be held (NULL stays NULL)."""
    failed = pc.is_valid(values)
    return pa.nulls(len(values), target), failed if pc.any(failed).as_py() else None


def fail_where(converted: pa.Array, wrong: pa.Array) -> Converted:
    """Mark `wrong` rows (NULL counts as fine) and blank them."""
    wrong = pc.fill_null(wrong, False)
    if not pc.any(wrong).as_py():
        return converted, None
    return pc.if_else(wrong, pa.scalar(None, converted.type), converted), wrong


def either(*masks: pa.BooleanArray | None) -> pa.BooleanArray | None:
    """The rows any of the masks marks."""
    given = [mask for mask in masks if mask is not None]
    return reduce(pc.or_, given) if given else None


def matches(values: pa.Array, pattern: str) -> pa.BooleanArray:
    return pc.match_substring_regex(values, pattern)


def where_safe(values: pa.Array, wrong: pa.Array, target: pa.DataType) -> Converted:
    """Cast all but the `wrong` values, which are known to be all that would not fit."""
    fit, failed = fail_where(values, wrong)
    return pc.cast(fit, target), failed


def from_text(values: pa.Array, grammar: str, target: pa.DataType) -> Converted:
    """Cast what `grammar` allows; the rest fails."""
    wrong = pc.invert(matches(values, grammar))
    fit, alien = fail_where(values, wrong)
    data, failed = attempt(fit, lambda v: pc.cast(v, target), target)
    return data, either(alien, failed)


def trim(values: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring_regex(values, _BLANKS, "")
