"""Columns of sample records: names, types, keys and cursors, as far as values tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from dativo_provider.connectors.rest.draft.draft import snake
from dativo_provider.connectors.rest.page import at

__all__ = ["columns_of", "cursor_of", "hint", "key_of"]

_INLINE = 12  # members of an object that become columns of their own
_PERSONAL = re.compile(
    r"(^|_)(e?mail|phone|mobile|fax|first_?name|last_?name|full_?name|given_?name|surname|birth\w*|dob|street|address\w*|"
    r"ssn|iban|ip|passport)($|_)", re.IGNORECASE
)  # fmt: skip
_CHANGED = re.compile(r"(updat|modif|chang|edit|touch)", re.IGNORECASE)
_MOMENTS = re.compile(r"(_at|_on|_time|time|timestamp|date|created|updated|modified|at)$", re.IGNORECASE)
_SECONDS, _MILLISECONDS = (10**9, 4 * 10**9), (10**12, 4 * 10**12)


def columns_of(records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Columns in the order they were met, and remarks on those that are guessed."""
    found: dict[str, dict[str, Any]] = {}
    remarks: dict[str, str] = {}
    for name, path, values in _leaves(records):
        column, remark = _column(name, values)
        if path != name:
            column["path"] = path
        column |= hint(name)
        found[name] = column
        if remark:
            remarks[name] = remark
    return found, remarks


def hint(name: str) -> dict[str, str]:
    """What the name of a column tells of the people behind it."""
    return {"classification": "pii"} if _PERSONAL.search(snake(name)) else {}


def _leaves(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, list[Any]]]:
    names = dict.fromkeys(str(key) for record in records for key in record)
    for name in filter(_is_name, names):
        values = [record.get(name) for record in records]
        inner = _members(values)
        if not inner:
            yield name, name, values
        for member in inner:
            yield f"{name}_{member}", f"{name}.{member}", [at(value, member) for value in values]


def _is_name(name: str) -> bool:
    """A path leads to it, and a file can hold it."""
    return "." not in name and name.isprintable() and name == " ".join(name.split()) != ""


def _members(values: Sequence[Any]) -> tuple[str, ...]:
    """Of objects that are small and flat, and mostly have the same members everywhere."""
    there = [value for value in values if value is not None]
    if not there or not all(isinstance(value, Mapping) for value in there):
        return ()
    names = dict.fromkeys(str(name) for value in there for name in value)
    shared = [name for name in names if all(name in value for value in there)]
    flat = all(not isinstance(each, Mapping | list) for value in there for each in value.values())
    plain = all(re.fullmatch(r"\w+", name) for name in names)
    alike = len(names) <= min(_INLINE, 2 * len(shared))
    return tuple(names) if flat and plain and alike else ()


def _column(name: str, values: Sequence[Any]) -> tuple[dict[str, Any], str]:
    there = [value for value in values if value is not None]
    if not there:
        return {"type": "string"}, "no sample has a value: which type is it?"
    if any(isinstance(value, Mapping | list) for value in there):
        return {"type": "string", "form": "json"}, ""
    kinds = {_kind(value) for value in there}
    if kinds <= {"long", "double"}:
        return _number(name, there, kinds)
    if len(kinds) > 1:
        words = " and ".join(sorted(kinds))
        return {"type": "string"}, "" if kinds <= {"string", "date", "timestamptz"} else f"samples are {words}"
    return {"type": kinds.pop()}, ""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long"
    if not isinstance(value, str):
        return "double"
    return _text_kind(value)


def _text_kind(value: str) -> str:
    if not re.match(r"\d{4}-\d\d-\d\d", value):
        return "string"
    try:
        date.fromisoformat(value)
        return "date"
    except ValueError:
        pass
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "string"
    return "timestamptz"


def _number(name: str, values: Sequence[Any], kinds: set[str]) -> tuple[dict[str, Any], str]:
    if kinds == {"long"} and _MOMENTS.search(name):
        for form, (low, high) in (("epoch", _SECONDS), ("epoch_ms", _MILLISECONDS)):
            if all(low <= value <= high for value in values):
                return {"type": "timestamptz", "form": form}, "guess: the number looks like a moment"
    return {"type": "double" if "double" in kinds else "long"}, ""


def key_of(columns: Mapping[str, Mapping[str, Any]], records: Sequence[Mapping[str, Any]], stream: str) -> list[str]:
    """The column that looks like one, if samples (there may be none) do not repeat it."""
    single = stream.removesuffix("s")
    own = ("id", "uuid", "guid", f"{single}_id", f"{single}Id")
    inside = [name for name in columns if name.endswith(f"_{single}_id")]  # of an object that wraps the record
    for name in (*own, *inside, "key", "name", "number", "code"):
        if name in columns:
            values = [at(record, str(columns[name].get("path") or name)) for record in records]
            if None not in values and len(set(map(str, values))) == len(values):
                return [name]
    return []


def cursor_of(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """A moment whose name says that it is of the last change."""
    moments = [name for name, each in columns.items() if each["type"] in ("timestamptz", "timestamp")]
    return next((name for name in moments if _CHANGED.search(name)), "")
