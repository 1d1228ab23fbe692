"""Values of entries as text: what a run's cast judges value by value, whatever the source's own type was."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["text_of"]


def text_of(value: Any) -> str | None:
    """A JSON value as the text that stands for it; nested values stay JSON."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode() if isinstance(value, bool | list | dict) else repr(value)
