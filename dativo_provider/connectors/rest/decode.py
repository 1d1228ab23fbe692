"""The JSON of an answer. Fractions stay exact, as `Decimal`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import msgspec

__all__ = ["kind", "parsed"]


def parsed(content: bytes) -> tuple[Any, bool]:
    """The value and whether there was none."""
    import msgspec

    try:
        return _decoder().decode(content), False
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, True


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    import msgspec

    return msgspec.json.Decoder(float_hook=Decimal)


def kind(content: bytes, headers: Mapping[str, str]) -> str:
    """What stands there instead, in words."""
    head = content[:200].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if head.startswith((b"{", b"[")):
        return "JSON that is cut off"
    return f"'{headers.get('content-type', 'no type')}'"
