"""The type of JSON texts, proposed from a sample: what holds every value of it unchanged, text in doubt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import reduce
from typing import Any

from dativo_provider.model.widening import struct_of

__all__ = ["proposed_type"]

_UNNAMEABLE = re.compile(r"[<>:,]")
_LARGEST = 2**63
Shape = dict[str, Any] | list[Any] | str | None  # members of an object, item of an array, a scalar; None: only NULL


def proposed_type(texts: Iterable[str | None]) -> str | None:
    """A struct, list or scalar type. None when no text is JSON, or nothing but NULL, {} and [] was seen."""
    shapes = [_shape(value) for text in texts if (value := _parsed(text)) is not None]
    return _name(reduce(_both, shapes, None))


def _parsed(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _shape(value: Any) -> Shape:
    if isinstance(value, dict):
        if any(not name or _UNNAMEABLE.search(name) for name in value):
            return "string"
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [reduce(_both, map(_shape, value), None)]
    if value is None or isinstance(value, bool):
        return None if value is None else "boolean"
    if isinstance(value, int):
        return "long" if -_LARGEST <= value < _LARGEST else "string"
    return "double" if isinstance(value, float) else "string"


def _both(one: Shape, other: Shape) -> Shape:
    if one is None or other is None or one == other:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _both(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [_both(one[0], other[0])]
    return "string"  # a whole number among fractions too: beyond 2^53 a double would round it


def _name(shape: Shape) -> str | None:
    if isinstance(shape, dict):
        known = {name: kind for name, inner in shape.items() if (kind := _name(inner))}
        return struct_of(known) if known else None
    if isinstance(shape, list):
        return f"list<{kind}>" if (kind := _name(shape[0])) else None
    return shape
