"""Requests and answers held against Google's own discovery documents, as the client library ships them.

https://developers.google.com/discovery/v1/reference/apis - path, method, query parameters with their types, enums and
bounds, what a `fields` mask names, and every name and type in a body, also in what the fake answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import islice
from typing import Any

from tests.connectors.rest.fake import Asked

__all__ = ["Discovery"]

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,),
}  # fmt: skip
_TEXTS = {"integer": re.compile(r"-?\d+"), "boolean": re.compile("true|false"), "number": re.compile(r"-?[\d.]+")}
_LOOKED_AT = 50  # entries of a long list
_MASK = re.compile(r"[\w*]+|[(),./]")


class Discovery:
    """The document of `name` (`sheets.v4`); `prefix` goes before its paths."""

    def __init__(self, name: str, prefix: str = "") -> None:
        folder = files("googleapiclient.discovery_cache") / "documents"
        self._doc = json.loads((folder / f"{name}.json").read_text())
        self._methods = [(each["httpMethod"], _pattern(prefix, each["path"]), each) for each in _methods(self._doc)]

    def wrong(self, asked: Asked) -> str:
        """What Google's own client would not send; empty when nothing is."""
        method = self._method(asked)
        return (
            f"there is no method {asked.method} {asked.path}"
            if method is None
            else next(self._problems(method, asked), "")
        )

    def answered_wrong(self, asked: Asked, body: Any) -> str:
        """What Google's API does not answer; empty when nothing is, or the answer is no JSON of this method."""
        method = self._method(asked)
        if method is None or "response" not in method or not isinstance(body, Mapping):
            return ""
        return next(self._value(method["response"], body, "$"), "")

    def _method(self, asked: Asked) -> Mapping[str, Any] | None:
        return next((method for verb, pattern, method in self._methods
                     if verb == asked.method and pattern.fullmatch(asked.path)), None)  # fmt: skip

    def _problems(self, method: Mapping[str, Any], asked: Asked) -> Iterator[str]:
        known = {**self._doc["parameters"], **method.get("parameters", {})}
        for name, value in asked.query.items():
            if name not in known:
                yield f"Unknown name '{name}'"
            elif why := _unfit(known[name], value):
                yield f"'{value}' is no value of '{name}': {why}"
        for name, each in method.get("parameters", {}).items():
            if each.get("required") and each["location"] == "query" and name not in asked.query:
                yield f"missing '{name}'"
        if "fields" in asked.query:
            yield from self._mask(method["response"], iter(_MASK.findall(asked.query["fields"])))
        if "request" not in method and asked.body is not None:
            yield "this method takes no body"
        if "request" in method:
            yield from self._value(method["request"], asked.body or {}, "$")

    def _mask(self, told: Mapping[str, Any], tokens: Iterator[str]) -> Iterator[str]:
        """Names of a mask that an object has not: `a,b(c,d),e.f` or `e/f`."""
        here = last = told
        for token in tokens:
            if token == ")":
                return
            if token == ",":
                here = told
            elif token == "(":
                yield from self._mask(last, tokens)
            elif token in "./":
                here = last
            elif token != "*" and token not in self._known(here):
                yield f"Invalid field selection '{token}'"
            else:
                last = self._known(here).get(token, {})

    def _known(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """The properties of an object, or of the objects that a list holds."""
        while "items" in told:
            told = told["items"]
        found: Mapping[str, Any] = self._doc["schemas"][told["$ref"]] if "$ref" in told else told
        return found.get("properties", {})

    def _value(self, told: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
        known = self._known(told) if "items" not in told else {}
        if known and isinstance(value, Mapping):
            for name, each in value.items():
                yield from (
                    self._value(known[name], each, f"{at}.{name}")
                    if name in known
                    else [f"Unknown name '{name}' at '{at}'"]
                )
        elif told.get("type") == "array" and isinstance(value, list):
            for number, each in enumerate(islice(value, _LOOKED_AT)):
                yield from self._value(told["items"], each, f"{at}[{number}]")
        elif not isinstance(value, _KINDS.get("object" if known else told.get("type", ""), (object,))):
            yield f"{at} is no {told.get('type', 'object')}"
        elif value not in told.get("enum", [value]):
            yield f"'{value}' is no value of {at}"


def _unfit(told: Mapping[str, Any], value: str) -> str:
    """Why a text is no value of a parameter; empty when it is one. Bounds are those that Google refuses or coerces."""
    kind = told.get("type", "string")
    if value not in told.get("enum", [value]):
        return "not one of its words"
    if kind in _TEXTS and not _TEXTS[kind].fullmatch(value):
        return f"no {kind}"
    bounded = kind == "integer" and not int(told.get("minimum", value)) <= int(value) <= int(told.get("maximum", value))
    return "out of bounds" if bounded else ""


def _methods(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from found.get("methods", {}).values()
    for each in found.get("resources", {}).values():
        yield from _methods(each)


def _pattern(prefix: str, path: str) -> re.Pattern[str]:
    return re.compile(re.escape(prefix) + re.sub(r"\\{\\?\+?\w+\\}", "[^/]+?", re.escape("/" + path)))
