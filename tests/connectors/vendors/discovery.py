"""Requests held against Google's own discovery documents, as the client library ships them.

https://developers.google.com/discovery/v1/reference/apis - path, method, query parameters with their enums, and every
name and type in a body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from tests.connectors.rest.fake import Asked

__all__ = ["Discovery"]

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,),
}  # fmt: skip


class Discovery:
    """The document of `name` (`sheets.v4`); `prefix` goes before its paths."""

    def __init__(self, name: str, prefix: str = "") -> None:
        folder = files("googleapiclient.discovery_cache") / "documents"
        self._doc = json.loads((folder / f"{name}.json").read_text())
        self._methods = [(each["httpMethod"], _pattern(prefix, each["path"]), each) for each in _methods(self._doc)]

    def wrong(self, asked: Asked) -> str:
        """What Google's own client would not send; empty when nothing is."""
        for verb, pattern, method in self._methods:
            if verb == asked.method and pattern.fullmatch(asked.path):
                return next(self._problems(method, asked), "")
        return f"there is no method {asked.method} {asked.path}"

    def _problems(self, method: Mapping[str, Any], asked: Asked) -> Iterator[str]:
        known = {**self._doc["parameters"], **method.get("parameters", {})}
        for name, value in asked.query.items():
            if name not in known:
                yield f"Unknown name '{name}'"
            elif value not in known[name].get("enum", [value]):
                yield f"'{value}' is no value of '{name}'"
        for name, each in method.get("parameters", {}).items():
            if each.get("required") and each["location"] == "query" and name not in asked.query:
                yield f"missing '{name}'"
        if asked.body is not None and "request" in method:
            yield from self._body(method["request"]["$ref"], asked.body, "$")

    def _body(self, schema: str, body: Any, at: str) -> Iterator[str]:
        known = self._doc["schemas"][schema]["properties"]
        for name, value in body.items():
            if name not in known:
                yield f"Unknown name '{name}' at '{at}' of {schema}"
            else:
                yield from self._value(known[name], value, f"{at}.{name}")

    def _value(self, told: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
        if "$ref" in told:
            yield from self._body(told["$ref"], value, at)
        elif told.get("type") == "array" and isinstance(value, list):
            for number, each in enumerate(value):
                yield from self._value(told["items"], each, f"{at}[{number}]")
        elif not isinstance(value, _KINDS.get(told.get("type", ""), (object,))):
            yield f"{at} is no {told['type']}"
        elif value not in told.get("enum", [value]):
            yield f"'{value}' is no value of {at}"


def _methods(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from found.get("methods", {}).values()
    for each in found.get("resources", {}).values():
        yield from _methods(each)


def _pattern(prefix: str, path: str) -> re.Pattern[str]:
    return re.compile(re.escape(prefix) + re.sub(r"\\{\\?\+?\w+\\}", "[^/]+?", re.escape("/" + path)))
