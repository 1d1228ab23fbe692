"""Lists, maps and structs, from Arrow's own or from JSON text, by the scalar rules at every leaf.

A value with one leaf that cannot be held fails as a whole. Struct members are matched by name; members that are
absent are NULL, members the contract does not name are dropped, or, where the value must be `complete`, make it fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.model.types import split_nested, to_arrow
from dativo_provider.transform.attempt import Converted, either, fail_all
from dativo_provider.transform.texts import json_text

__all__ = ["to_nested"]

Leaf = Callable[[pa.Array, str], Converted]
Shaper = Callable[[Any], Any]


def to_nested(values: pa.Array, name: str, leaf: Leaf, complete: bool = False) -> Converted:
    """`leaf(values, type name)` converts what the nested value holds."""
    kind, parts = split_nested(name) or ("", [])
    if t.is_string(values.type):
        return _from_json(values, name, leaf, complete)
    if kind == "list" and (t.is_list(values.type) or t.is_large_list(values.type) or t.is_fixed_size_list(values.type)):
        return _list(pc.cast(values, pa.list_(values.type.value_type)), name, parts[0], leaf)
    if kind == "struct" and t.is_struct(values.type):
        return _struct(values, name, parts, leaf, complete)
    if kind == "map" and t.is_map(values.type):
        return _map(values, name, parts, leaf)
    if kind == "map" and t.is_struct(values.type):
        texts = pa.array([None if v is None else json_text(v) for v in values.to_pylist()], pa.string())
        return _from_json(texts, name, leaf, complete)
    return fail_all(values, to_arrow(name))


def _list(values: pa.ListArray, name: str, item: str, leaf: Leaf) -> Converted:
    offsets, start, end = _span(values)
    items, failed = leaf(values.values[start:end], item)
    rows = _rows(values, offsets, failed)
    return pa.ListArray.from_arrays(offsets, items, type=to_arrow(name), mask=_blank(values, rows)), rows


def _map(values: pa.MapArray, name: str, parts: list[str], leaf: Leaf) -> Converted:
    offsets, start, end = _span(values)
    keys, bad_keys = leaf(values.keys[start:end], parts[0])
    items, bad_items = leaf(values.items[start:end], parts[1])
    rows = _rows(values, offsets, either(bad_keys, bad_items))
    if bad_keys is not None:
        return _without(values, rows, name, parts, leaf)
    blank = _blank(values, rows)
    return pa.MapArray.from_arrays(offsets, keys, items, type=to_arrow(name), mask=blank), rows


def _without(values: pa.MapArray, rows: pa.BooleanArray | None, name: str, parts: list[str], leaf: Leaf) -> Converted:
    """A map key cannot be NULL: blank the rows with impossible keys before converting."""
    keep = pc.if_else(rows, None, pa.array(range(len(values)), pa.int64()))
    data, more = _map(values.take(keep), name, parts, leaf)
    return data, either(rows, more)


def _struct(values: pa.StructArray, name: str, parts: list[str], leaf: Leaf, complete: bool) -> Converted:
    have = {values.type.field(i).name: i for i in range(values.type.num_fields)}
    columns, masks = [], []
    for part in parts:
        member, _, kind = part.partition(":")
        if member in have:
            data, failed = leaf(pc.struct_field(values, [have[member]]), kind)
        else:
            data, failed = pa.nulls(len(values), to_arrow(kind)), None
        columns.append(data)
        masks.append(failed)
    if complete:
        masks += _unnamed(values, {part.partition(":")[0] for part in parts})
    rows = either(*masks)
    return pa.StructArray.from_arrays(columns, fields=list(to_arrow(name)), mask=_blank(values, rows)), rows


def _unnamed(values: pa.StructArray, named: set[str]) -> list[pa.BooleanArray]:
    """For each member the contract does not name, the rows in which it has a value."""
    others = [i for i in range(values.type.num_fields) if values.type.field(i).name not in named]
    return [pc.is_valid(pc.struct_field(values, [i])) for i in others]


def _span(values: pa.Array) -> tuple[pa.Array, int, int]:
    """Offsets that start at 0, and which part of the children this (maybe sliced) array holds."""
    offsets = values.offsets
    start, end = offsets[0].as_py(), offsets[-1].as_py()
    return pc.subtract(offsets, offsets[0]), start, end


def _rows(values: pa.Array, offsets: pa.Array, failed: pa.BooleanArray | None) -> pa.BooleanArray | None:
    """Which lists hold a failed item."""
    if failed is None:
        return None
    # failures before each item; a list holds one when that count grows between its ends
    before = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(pc.cast(failed, pa.int64()))])
    held = pc.not_equal(before.take(offsets[1:]), before.take(offsets[:-1]))
    return pc.and_(held, pc.is_valid(values))


def _blank(values: pa.Array, rows: pa.BooleanArray | None) -> pa.BooleanArray:
    missing = pc.is_null(values)
    return missing if rows is None else pc.or_(missing, rows)


def _from_json(values: pa.StringArray, name: str, leaf: Leaf, complete: bool) -> Converted:
    """Parse each text into the nested shape with text leaves; the leaves are then cast like a column of text."""
    shape, shaped_type = _shaper(name, complete), _shape_type(name)
    rows = [_parse(text, shape) for text in values.to_pylist()]
    unreadable = pa.array([row is _UNFIT for row in rows], pa.bool_())
    data, failed = to_nested(_build(rows, shaped_type), name, leaf)
    return data, either(unreadable if pc.any(unreadable).as_py() else None, failed)


def _build(rows: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array([None if row is _UNFIT else row for row in rows], kind)


_UNFIT = object()
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def _parse(text: str | None, shape: Shaper) -> Any:
    if text is None:
        return None
    try:
        value = _DECODER.decode(text)
        return shape(value) if value is not None else _UNFIT
    except (ValueError, RecursionError):
        return _UNFIT


def _shape_type(name: str) -> pa.DataType:
    """The Arrow type of `name` with text in place of every scalar."""
    nested = split_nested(name)
    if nested is None:
        return pa.string()
    kind, parts = nested
    if kind == "list":
        return pa.list_(_shape_type(parts[0]))
    if kind == "map":
        return pa.map_(pa.string(), _shape_type(parts[1]))
    members = (part.partition(":") for part in parts)
    return pa.struct([pa.field(member, _shape_type(inner)) for member, _, inner in members])


def _shaper(name: str, complete: bool) -> Shaper:
    nested = split_nested(name)
    if nested is None:
        return _scalar
    kind, parts = nested
    if kind == "list":
        return _list_shaper(_shaper(parts[0], complete))
    if kind == "map":
        return _map_shaper(_shaper(parts[1], complete))
    members = (part.partition(":") for part in parts)
    return _struct_shaper({member: _shaper(inner, complete) for member, _, inner in members}, complete)


def _list_shaper(item: Shaper) -> Shaper:
    return lambda value: [None if v is None else item(v) for v in _expect(value, list)]


def _map_shaper(item: Shaper) -> Shaper:
    return lambda value: [(_scalar(k), None if v is None else item(v)) for k, v in _pairs(value)]


def _pairs(value: Any) -> Iterable[Any]:
    """Of an object, or a list of pairs: so the quarantine keeps Arrow's maps, whose keys may be of any type."""
    if isinstance(value, dict):
        return value.items()
    if not _expect(value, list) or any(len(_expect(pair, list)) != 2 or pair[0] is None for pair in value):
        raise ValueError("not pairs")
    return value  # type: ignore[no-any-return]


def _struct_shaper(members: dict[str, Shaper], complete: bool) -> Shaper:
    def shape(value: Any) -> dict[str, Any]:
        given = _expect(value, dict)
        if complete and any(name not in members for name, inner in given.items() if inner is not None):
            raise ValueError("a member the contract does not name")
        return {name: inner(given[name]) for name, inner in members.items() if given.get(name) is not None}

    return shape


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"not a {kind.__name__}")
    return value


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _utf8(value) if isinstance(value, str) else _utf8(json_text(value))


def _utf8(text: str) -> str:
    """Raises `UnicodeEncodeError`, a `ValueError`, for half a surrogate pair."""
    text.encode()
    return text
