"""The base of every file model, and the small types they share."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Interval", "Mapped", "Names", "Regex", "Shape", "Timezone", "Wrong", "schema_key", "text_or"]

Mapped = dict[str, Any]
_INTERVAL = re.compile(r"\s*(\d+)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)?\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Wrong(ValueError):
    """Raised by validators: what is wrong, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Shape(BaseModel):
    """Unknown keys are errors; numbers may stand where text is wanted (`cost_center: 4711`)."""

    model_config = ConfigDict(
        extra="forbid", coerce_numbers_to_str=True, populate_by_name=True, protected_namespaces=(), defer_build=False
    )


def schema_key() -> Any:
    return Field(default="", alias="$schema", description="JSON Schema of this file, for editors; not read.")


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value


Names = Annotated[list[str], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])]


def text_or(key: str) -> Callable[[Any], Any]:
    """A validator that reads plain text `x` as the mapping `{key: x}`."""
    return lambda value: {key: value} if isinstance(value, str) else value


@lru_cache(maxsize=512)
def is_timezone(name: str) -> bool:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return name in available_timezones()


def _timezone(name: str) -> str:
    if not is_timezone(name):
        raise Wrong(f"'{name}' is not a time zone", _nearest_zone(name))
    return name


def _nearest_zone(name: str) -> str:
    from zoneinfo import available_timezones

    from dativo_provider.config.problems import did_you_mean

    return did_you_mean(name, available_timezones()) or "use an IANA name such as Europe/Berlin or UTC"


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Wrong(f"not a regular expression: {error}", "quote it with '…' so that YAML leaves it alone") from None
    return pattern


def _interval(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _INTERVAL.fullmatch(value)
    if match is None:
        raise Wrong(f"'{value}' is not an interval", "write seconds, or 30m, 6h, 1d")
    return int(match[1]) * _SECONDS[(match[2] or "s")[0]]


Timezone = Annotated[str, AfterValidator(_timezone)]
Regex = Annotated[str, AfterValidator(_regex)]
Interval = Annotated[int, BeforeValidator(_interval, json_schema_input_type=int | str), Field(ge=1, le=31_536_000)]
