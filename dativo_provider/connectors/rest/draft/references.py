"""The schemas of an OpenAPI document with their references followed and their parts merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Document"]

_DEEPEST = 12


@dataclass(frozen=True)
class Document:
    data: Mapping[str, Any]

    def followed(self, value: Any, deep: int = 0) -> Mapping[str, Any]:
        """What a `$ref` within the document leads to; nothing for one that leads elsewhere or in circles."""
        if not isinstance(value, Mapping) or deep > _DEEPEST:
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        return self.followed(self._at(reference), deep + 1) if reference.startswith("#/") else {}

    def _at(self, reference: str) -> Any:
        found: Any = self.data
        for part in reference.removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def merged(self, schema: Any, deep: int = 0) -> dict[str, Any]:
        """With the properties of all its parts (`allOf`, and what it may be: `oneOf`, `anyOf`)."""
        found = dict(self.followed(schema))
        if deep > _DEEPEST:
            return found
        for word in ("allOf", "oneOf", "anyOf"):
            for part in found.pop(word, None) or ():
                below = self.merged(part, deep + 1)
                if below.get("type") == "null":
                    continue
                properties = {**(found.get("properties") or {}), **(below.get("properties") or {})}
                found = {**below, **found, **({"properties": properties} if properties else {})}
        return found
