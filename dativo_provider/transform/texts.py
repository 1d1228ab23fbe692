"""Text, bytes and UUIDs.

Every value has a text that casts back to it: ISO dates, shortest floats, `\\x…` for bytes, JSON for nested values.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.transform.attempt import Converted, attempt, fail_all, fail_where, matches, trim

__all__ = ["is_nested", "json_text", "to_binary", "to_string", "to_uuid"]

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_UUID_PARTS = r"^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$"
_HEX = r"^\\x(?:[0-9a-fA-F]{2})*$"


def to_string(values: pa.Array, target: pa.DataType) -> Converted:
    if is_nested(values.type):
        return pa.array([None if v is None else json_text(v) for v in values.to_pylist()], target), None
    return attempt(values, lambda v: pc.cast(v, target), target)


def is_nested(kind: pa.DataType) -> bool:
    return bool(t.is_nested(kind))


def json_text(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def to_uuid(values: pa.Array, target: pa.DataType) -> Converted:
    """Lower case with hyphens; braces, `urn:uuid:`, upper case and sixteen bytes are understood."""
    if t.is_fixed_size_binary(values.type) or t.is_binary(values.type):
        values = pa.array([None if v is None else v.hex() for v in values.to_pylist()], target)
    if not t.is_string(values.type):
        return fail_all(values, target)
    if pc.all(matches(values, _UUID)).as_py() is not False:
        return values, None
    text = pc.replace_substring_regex(pc.utf8_lower(trim(values)), _UUID_PARTS, r"\1-\2-\3-\4-\5")
    return fail_where(text, pc.invert(matches(text, _UUID)))


def to_binary(values: pa.Array, target: pa.DataType) -> Converted:
    """Bytes pass; text only as PostgreSQL writes bytes, `\\x` and hex digits."""
    if t.is_binary(values.type) or t.is_large_binary(values.type) or t.is_fixed_size_binary(values.type):
        return pc.cast(values, target), None
    if not t.is_string(values.type):
        return fail_all(values, target)
    hexed, failed = fail_where(values, pc.invert(matches(values, _HEX)))
    return pa.array([None if v is None else bytes.fromhex(v[2:]) for v in hexed.to_pylist()], target), failed
