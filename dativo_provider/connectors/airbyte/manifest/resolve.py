"""A manifest with its references followed and its parameters handed down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dativo_provider.errors import ConfigurationError

__all__ = ["resolved"]

_DEEPEST = 60
_WORDS = ("$parameters", "$options")
_PARAMETER = re.compile(r"""\{\{\s*(?:parameters|options)(?:\.(\w+)|\[\s*['"](\w+)['"]\s*\])\s*\}\}""")
# What a component is that does not say so, by where it stands.
_KINDS = {
    "streams": "DeclarativeStream", "stream": "DeclarativeStream", "retriever": "SimpleRetriever",
    "requester": "HttpRequester", "record_selector": "RecordSelector", "extractor": "DpathExtractor",
    "error_handler": "DefaultErrorHandler",
}  # fmt: skip


def resolved(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Raises `ConfigurationError` for a reference that leads nowhere, or in circles."""
    found: dict[str, Any] = _followed(
        {key: each for key, each in manifest.items() if key != "definitions"}, manifest, {}
    )
    return found


def _followed(
    value: Any, root: Mapping[str, Any], parameters: Mapping[str, Any], depth: int = 0, kind: str = ""
) -> Any:
    if depth > _DEEPEST:
        raise ConfigurationError("the manifest's references go in circles", remedy="see its $ref entries")
    if isinstance(value, list):
        return [_followed(each, root, parameters, depth + 1, kind) for each in value]
    if isinstance(value, str) and value.startswith("#/"):
        return _followed(_at(root, value), root, parameters, depth + 1, kind)
    if isinstance(value, str):
        return _PARAMETER.sub(lambda found: _plainly(found, parameters), value)
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("$ref"), str):
        below = _at(root, value["$ref"])
        own = {key: each for key, each in value.items() if key != "$ref"}
        return _followed({**below, **own} if isinstance(below, Mapping) else below, root, parameters, depth + 1, kind)
    given: Mapping[str, Any] = next((value[word] for word in _WORDS if isinstance(value.get(word), Mapping)), {})
    handed = {**parameters, **given}
    if kind and "type" not in value:
        value = {"type": str(value.get("class_name") or kind), **value}
    if "type" in value and isinstance(value["type"], str) and value["type"][:1].isupper():
        value = {
            **{key: each for key, each in handed.items() if key not in value and _is_plain(each)},
            **value,
            "$parameters": handed,
        }
    return {
        key: each if key in _WORDS else _followed(each, root, handed, depth + 1, _KINDS.get(key, ""))
        for key, each in value.items()
    }


def _plainly(found: re.Match[str], parameters: Mapping[str, Any]) -> str:
    given = parameters.get(found[1] or found[2])
    return found[0] if given is None else str(given)


def _is_plain(value: Any) -> bool:
    """A component among the parameters would be handed down into itself."""
    return not isinstance(value, Mapping) and not (isinstance(value, list) and any(map(_is_nested, value)))


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list)


def _at(root: Mapping[str, Any], reference: str) -> Any:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(found, Mapping) or part not in found:
            raise ConfigurationError(f"'{reference}' leads nowhere", remedy="see the manifest's definitions")
        found = found[part]
    return found
