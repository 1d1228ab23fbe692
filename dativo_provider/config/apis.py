"""What the spec of an API tells the rest of a job: the key and the cursor of each stream, and whether it has documents.

The connectors room reads specs whole; here only these words are looked at: of a tenant's spec in its YAML, of this
package's in an index that `python docs/generate.py` makes of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["INDEX", "ApiStream", "api_streams", "shipped"]

INDEX = Path(__file__).parents[1] / "connectors" / "rest" / "specs" / "index.json"


@dataclass(frozen=True)
class ApiStream:
    key: tuple[str, ...] = ()
    cursor: str = ""
    document: bool = False  # whether its records can be stored as documents


@cache
def shipped() -> Mapping[str, Mapping[str, ApiStream]]:
    """Streams of the APIs that this package has a spec of, by the name of their connector."""
    told = json.loads(INDEX.read_text(encoding="utf-8"))
    return {api: {name: _told(each) for name, each in streams.items()} for api, streams in told.items()}


def _told(each: Mapping[str, Any]) -> ApiStream:
    return ApiStream(tuple(each["key"]), each["cursor"], bool(each.get("document")))


def api_streams(data: Mapping[str, Any]) -> dict[str, ApiStream]:
    """By name. What is not as a spec should be says nothing here."""
    streams = data.get("streams")
    found = streams.items() if isinstance(streams, Mapping) else ()
    return {str(name): _stream(each) for name, each in found if isinstance(each, Mapping)}


def _stream(data: Mapping[str, Any]) -> ApiStream:
    key, increment = data.get("key"), data.get("incremental")
    cursor = increment.get("cursor") if isinstance(increment, Mapping) else ""
    names = key if isinstance(key, list) else [key] if isinstance(key, str) else []
    return ApiStream(tuple(map(str, names)), cursor if isinstance(cursor, str) else "", bool(data.get("document")))
