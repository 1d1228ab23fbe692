"""Options of databases, each read by what kind of value it is. All raise `ConfigurationError`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec

__all__ = ["chosen", "contract_zone", "seconds", "whole"]

_DURATION = re.compile(r"(\d+)\s*(ms|s|min|h|d)?")
_UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}


def whole(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0 or isinstance(value, bool):
        raise ConfigurationError(f"option {name}: {value!r} is not a whole number", remedy="write 0 or more")
    return number


def seconds(name: str, value: Any) -> int:
    """`30`, `30s`, `5min`: whole seconds, rounded up."""
    found = _DURATION.fullmatch(str(value))
    if not found:
        raise ConfigurationError(f"option {name}: '{value}' is not a duration", remedy="write 30s, 5min, or 0 for none")
    return int(-(-int(found[1]) * _UNITS[found[2] or "s"] // 1))


def chosen(*words: str) -> Callable[[str, Any], str]:
    """A reader of one of `words`."""

    def read(name: str, value: Any) -> str:
        if str(value) not in words:
            raise ConfigurationError(f"option {name}: '{value}' is unknown", remedy=f"write {' or '.join(words)}")
        return str(value)

    return read


def contract_zone(stream: StreamSpec) -> str:
    """The zone in which the contract says that the cursor is written; its default, UTC, says nothing."""
    cursor = stream.incremental.cursor_field
    zone = next((field.timezone for field in stream.contract.fields if field.name == cursor), "")
    return "" if zone == "UTC" else zone
