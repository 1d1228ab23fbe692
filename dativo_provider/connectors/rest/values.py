"""Placeholders of a spec: `{name}` stands for a setting, a credential or a part of the window.

`{lo:epoch}` writes a moment in a form of `moments.Written`. Text that is one placeholder and nothing else becomes the
value itself, so that numbers stay numbers and lists lists; inside of a text a list is joined by commas. An entry of a
mapping whose placeholder has no value is left out; an item of a list is left out as a whole when one placeholder in it
has none (a filter without its value is no filter); items of lists inside of it are judged by themselves.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, get_args
from urllib.parse import quote

from dativo_provider.connectors.rest.moments import Written, show
from dativo_provider.connectors.rest.page import at
from dativo_provider.errors import ConfigurationError

__all__ = ["FORMS", "Unset", "address", "filled", "joined", "placeholders", "text"]

_PLACEHOLDER = re.compile(r"\{([a-zA-Z_][\w.]*)(?::(\w+))?\}")
FORMS = (*get_args(Written), "base64")
_DROPPED = object()


class Unset(ConfigurationError):
    """A placeholder that must have a value has none."""


def placeholders(template: Any) -> Iterator[tuple[str, str]]:
    """Names and forms in every text of `template`."""
    if isinstance(template, str):
        yield from _PLACEHOLDER.findall(template)
    elif isinstance(template, Mapping):
        for each in template.values():
            yield from placeholders(each)
    elif isinstance(template, list):
        for each in template:
            yield from placeholders(each)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """`template` with its values; None where it is text without one."""
    found = _filled(template, values)
    return None if found is _DROPPED else found


def text(template: str, values: Mapping[str, Any]) -> str:
    """As text that must be whole. Raises `Unset`."""
    missing = [name for name, _ in placeholders(template) if at(values, name) is None]
    if missing:
        raise Unset(f"'{missing[0]}' is not set", remedy=f"set source.connection.{missing[0]}", name=missing[0])
    return str(_filled(template, values))


def address(template: str, values: Mapping[str, Any]) -> str:
    """A path whose values are quoted, so that none can lead elsewhere. Raises `Unset`."""
    return text(template, _Quoted(values))


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        return _text(template, values)
    if isinstance(template, Mapping):
        made = {key: _filled(each, values) for key, each in template.items()}
        return {key: each for key, each in made.items() if each is not _DROPPED}
    if isinstance(template, list):
        return [_filled(each, values) for each in template if _whole(each, values)]
    return template


def _whole(template: Any, values: Mapping[str, Any]) -> bool:
    return all(at(values, name) is not None for name, _ in _outer(template))


def _outer(template: Any) -> Iterator[tuple[str, str]]:
    """Placeholders of an item of a list; what stands in a list below is judged by itself."""
    if isinstance(template, Mapping):
        for each in template.values():
            yield from _outer(each)
    elif isinstance(template, str):
        yield from placeholders(template)


def _text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    if whole:
        value = at(values, whole[1])
        return _DROPPED if value is None else _formed(value, whole[2] or "")
    if not _whole(template, values):
        return _DROPPED
    return _PLACEHOLDER.sub(lambda match: _inside(_formed(at(values, match[1]), match[2] or "")), template)


def _inside(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def joined(value: Any) -> Any:
    """As a query says it: a list as one text."""
    if isinstance(value, Mapping):
        return {key: joined(each) for key, each in value.items()}
    return _inside(value) if isinstance(value, list) else value


def _formed(value: Any, form: str) -> Any:
    if isinstance(value, datetime):
        return show(value, form or "iso")  # type: ignore[arg-type]
    return b64encode(str(value).encode()).decode() if form == "base64" else value


class _Quoted(dict[str, Any]):
    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__({key: _quoted(value) for key, value in values.items()})


def _quoted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _quoted(each) for key, each in value.items()}
    return quote(value, safe="") if isinstance(value, str) else value
