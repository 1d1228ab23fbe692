"""What the spec of an API tells the rest of a job: the key and the cursor of each stream.

The connectors room reads specs whole; here only these words are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ApiStream", "api_streams"]


@dataclass(frozen=True)
class ApiStream:
    key: tuple[str, ...] = ()
    cursor: str = ""


def api_streams(data: Mapping[str, Any]) -> dict[str, ApiStream]:
    """By name. What is not as a spec should be says nothing here."""
    streams = data.get("streams")
    found = streams.items() if isinstance(streams, Mapping) else ()
    return {str(name): _stream(each) for name, each in found if isinstance(each, Mapping)}


def _stream(data: Mapping[str, Any]) -> ApiStream:
    key, increment = data.get("key"), data.get("incremental")
    cursor = increment.get("cursor") if isinstance(increment, Mapping) else ""
    names = key if isinstance(key, list) else [key] if isinstance(key, str) else []
    return ApiStream(tuple(map(str, names)), cursor if isinstance(cursor, str) else "")
