"""What is inside a secret: text, a JSON object or KEY=VALUE lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dativo_provider.errors import CredentialError

__all__ = ["FORMATS", "Format", "Payload", "harmless", "of_value", "parse"]

Format = Literal["json", "env", "text", "raw"]
FORMATS: tuple[Format, ...] = get_args(Format)
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(.*)")
# Values of these are useful in a log and open nothing by themselves; everything else in a secret is masked.
_HARMLESS = frozenset(
    "host hostname port user username login database dbname db schema region region_name account type "
    "project_id client_email sslmode".split()
)


@dataclass(frozen=True)
class Payload:
    text: str = field(repr=False)
    fields: Mapping[str, Any] | None = field(default=None, repr=False)
    version: int | None = field(default=None, compare=False)  # of a store that refuses to replace another one

    def value(self, key: str, where: str) -> str:
        """The whole text, or the field at the dotted `key`. Raises `CredentialError`."""
        if not key:
            return self.text
        found: Any = self.fields
        for part in key.split("."):
            found = _member(found, part)
        if found is None:
            raise CredentialError(f"the secret has no field '{key}'", where=where, remedy="add it, or name another")
        return found if isinstance(found, str) else json.dumps(found)

    def replaced(self, key: str, value: str, where: str) -> str:
        """The text with another value, or another value of the field at `key`. Raises `CredentialError`."""
        if not key:
            return value
        self.value(key, where)
        if self.text.lstrip().startswith("{"):
            return json.dumps(_with(self.fields or {}, key.split("."), value))
        return "\n".join(_assigned(line, key, value) for line in self.text.splitlines())

    def having(self, key: str, where: str) -> str:
        """The text as it is. Raises `CredentialError` where it has no field at `key`."""
        self.value(key, where)
        return self.text

    def confidential(self) -> Iterator[str]:
        """Every string that must not appear in a log."""
        yield self.text
        if self.fields:
            yield from _leaves(self.fields)


def _member(found: Any, part: str) -> Any:
    if not isinstance(found, Mapping):
        return None
    folded = {str(key).lower(): value for key, value in found.items()}
    return found.get(part, folded.get(part.lower()))


def _with(fields: Mapping[str, Any], path: list[str], value: str) -> dict[str, Any]:
    name = next(each for each in fields if each == path[0] or each.lower() == path[0].lower())
    return {**fields, name: _with(fields[name], path[1:], value) if path[1:] else value}


def _assigned(line: str, key: str, value: str) -> str:
    match = _ASSIGNMENT.fullmatch(line.strip())
    return f"{match[1]}={value}" if match and match[1].lower() == key.lower() else line


def harmless(key: str) -> bool:
    """True for `host`, `PGPORT`, `db.user` and their like."""
    return key.lower().rpartition(".")[2].removeprefix("pg") in _HARMLESS


def _leaves(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, key)
    elif isinstance(value, str) and value and not harmless(key):
        yield value


def parse(raw: str, form: Format | None, where: str) -> Payload:
    """`form` None: by content. Only `raw` keeps the white space around the value."""
    if form == "raw":
        return Payload(raw)
    text = raw.strip()
    if form == "text":
        return Payload(text)
    if form == "json":
        return Payload(text, _json(text, where))
    if form == "env":
        return Payload(text, _assignments(text, where))
    return Payload(text, _guess(text))


def of_value(found: Any) -> Payload:
    """What a store of fields holds: text by its content, an object as it is."""
    return parse(found if isinstance(found, str) else json.dumps(found), None, "")


def _guess(text: str) -> Mapping[str, Any] | None:
    try:
        return _json(text, "") if text.startswith("{") else _assignments(text, "")
    except CredentialError:
        return None


def _json(text: str, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None  # its message quotes the secret
    if not isinstance(found, dict):
        raise CredentialError("the secret is not a JSON object", where=where, remedy="store it as {…}, or as text")
    return found


def _assignments(text: str, where: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            match = _ASSIGNMENT.fullmatch(line.strip())
            if match is None:
                raise CredentialError(f"line {number} of the secret is not KEY=VALUE", where=where)
            found[match[1]] = _unquoted(match[2].strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
