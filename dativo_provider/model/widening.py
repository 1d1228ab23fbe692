"""Which column type holds the values of which other, and the type that holds both.

https://iceberg.apache.org/spec/#schema-evolution names the promotions a table's column may make.
"""

from __future__ import annotations

import re

from dativo_provider.model.types import split_nested

__all__ = ["extended", "holds", "members", "promotes", "stored", "struct_of", "wider"]

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_WHOLE_DIGITS = {"int": 10, "long": 19}
_PROMOTIONS = {("int", "long"), ("float", "double")}
_EXACT = {*_PROMOTIONS, ("int", "double"), ("date", "timestamp")}


def members(parts: list[str]) -> dict[str, str]:
    """Of a struct: name → type."""
    return {name: kind for name, _, kind in (part.partition(":") for part in parts)}


def struct_of(found: dict[str, str]) -> str:
    return "struct<" + ",".join(f"{name}:{kind}" for name, kind in found.items()) + ">"


def stored(name: str) -> str:
    """The type as a table has it: `uuid` is text there."""
    nested = split_nested(name)
    if nested is None:
        return "string" if name == "uuid" else name
    kind, parts = nested
    if kind == "struct":
        return struct_of({member: stored(inner) for member, inner in members(parts).items()})
    return f"{kind}<{','.join(map(stored, parts))}>"


def promotes(have: str, wanted: str) -> bool:
    """Whether a table's column of primitive type `have` may become `wanted`."""
    old, new = _DECIMAL.fullmatch(have), _DECIMAL.fullmatch(wanted)
    if old and new:
        return old[2] == new[2] and int(old[1]) < int(new[1])
    return (have, wanted) in _PROMOTIONS


def wider(one: str, other: str) -> str | None:
    """The type both may be promoted to without a loss; None when there is none. Structs get the parts of both."""
    if stored(one) == stored(other):
        return one
    first, second = split_nested(one), split_nested(other)
    if first and second and first[0] == second[0]:
        return _wider_nested(first[0], first[1], second[1])
    if promotes(one, other):
        return other
    return one if promotes(other, one) else None


def _wider_nested(kind: str, one: list[str], other: list[str]) -> str | None:
    if kind == "struct":
        return _wider_struct(members(one), members(other))
    if kind == "map" and stored(one[0]) != stored(other[0]):
        return None  # Iceberg cannot alter the keys of a map
    last = wider(one[-1], other[-1])
    return None if last is None else f"{kind}<{','.join([*one[:-1], last])}>"


def _wider_struct(one: dict[str, str], other: dict[str, str]) -> str | None:
    both = dict(one)
    for name, kind in other.items():
        found = wider(one[name], kind) if name in one else kind
        if found is None:
            return None
        both[name] = found
    return struct_of(both)


def extended(kind: str, more: str) -> str:
    """`kind` with the parts that only `more` has; what both have stays as `kind` says."""
    one, other = split_nested(kind), split_nested(more)
    if not one or not other or one[0] != other[0]:
        return kind
    if one[0] != "struct":
        return f"{one[0]}<{','.join([*one[1][:-1], extended(one[1][-1], other[1][-1])])}>"
    have, given = members(one[1]), members(other[1])
    return struct_of({**given, **have, **{name: extended(have[name], given[name]) for name in have if name in given}})


def holds(kind: str, source: str) -> bool:
    """Whether every value of a primitive column of type `source` can be cast to `kind` unchanged."""
    if kind == "string" or stored(kind) == stored(source):
        return True
    if target := _DECIMAL.fullmatch(kind):
        return _decimal_holds(int(target[1]), int(target[2]), source)
    return (source, kind) in _EXACT


def _decimal_holds(precision: int, scale: int, source: str) -> bool:
    if found := _DECIMAL.fullmatch(source):
        return int(found[2]) <= scale and int(found[1]) - int(found[2]) <= precision - scale
    return precision - scale >= _WHOLE_DIGITS.get(source, 99)
