"""One answer of an API: its JSON, and the records in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Page", "at", "put"]


@dataclass(frozen=True)
class Page:
    """`records` are those the spec's path leads to; `size` is what the answer had in bytes."""

    url: str
    data: Any
    records: Sequence[Any] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)  # of the Link header, by relation (RFC 8288)
    size: int = 0


def at(data: Any, path: str, default: Any = None) -> Any:
    """What the dotted `path` leads to; an empty path is `data` itself. Digits count items of a list."""
    for part in path.split(".") if path else ():
        if isinstance(data, Mapping):
            data = data.get(part, default)
        elif isinstance(data, Sequence) and not isinstance(data, str) and part.lstrip("-").isdigit():
            place = int(part)
            data = data[place] if -len(data) <= place < len(data) else default
        else:
            return default
    return data


def put(data: Any, path: str, value: Any) -> Any:
    """A copy of `data` in which `path` leads to `value`; what is not there yet becomes a mapping."""
    if not path:
        return value
    name, _, rest = path.partition(".")
    if isinstance(data, list):
        place = int(name) % len(data)
        return [put(each, rest, value) if number == place else each for number, each in enumerate(data)]
    below = data if isinstance(data, Mapping) else {}
    return {**below, name: put(below.get(name), rest, value)}
