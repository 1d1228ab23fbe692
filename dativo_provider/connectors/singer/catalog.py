"""A tap's catalog: what a stream holds, and how it is asked for. https://hub.meltano.com/singer/spec#catalog-files"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.bridge.schema import fields_of
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field

__all__ = ["Replication", "entries", "fields", "key", "names", "replication", "selected"]

_METHODS = ("FULL_TABLE", "INCREMENTAL", "LOG_BASED")
_UNREAD = "unsupported"


@dataclass(frozen=True)
class Replication:
    """`key` is the property that says what is new, of method INCREMENTAL."""

    method: str
    key: str = ""


def entries(catalog: Any) -> dict[str, Mapping[str, Any]]:
    """By the id that the tap calls each stream. Raises `ConfigurationError` for what is no catalog."""
    found = catalog.get("streams") if isinstance(catalog, Mapping) else None
    if not isinstance(found, list):
        raise ConfigurationError(
            "what the tap says in discovery is no catalog: it has no `streams`",
            remedy="try its --discover by hand; a tap without discovery cannot be read",
        )
    return {_id(each): each for each in found if isinstance(each, Mapping)}


def _id(entry: Mapping[str, Any]) -> str:
    return str(entry.get("tap_stream_id") or entry.get("stream") or "")


def names(entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset({_id(entry), *(str(entry[word]) for word in ("stream", "stream_alias") if entry.get(word))})


def fields(entry: Mapping[str, Any]) -> tuple[Field, ...]:
    found = fields_of(entry.get("schema") or {})
    return tuple(each for each in found if _of(entry, ("properties", each.name)).get("inclusion") != _UNREAD)


def key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    root = _of(entry, ())
    found = entry.get("key_properties") or root.get("table-key-properties") or root.get("view-key-properties") or ()
    return tuple(map(str, found))


def replication(entry: Mapping[str, Any], stream: StreamSpec, wanted: str) -> Replication:
    """What the job says, else what the tap insists on, else by a replication key where there is one.

    Raises `ConfigurationError` for a key that the tap cannot go by.
    """
    root = _of(entry, ())
    forced = str(root.get("forced-replication-method") or "")
    if stream.incremental.strategy == "full_refresh" and forced in ("", "FULL_TABLE"):
        return Replication("FULL_TABLE")
    own = str(root.get("replication-method") or entry.get("replication_method") or "")
    column = _replication_key(entry, stream)
    method = _method(str(stream.options.get("replication_method") or wanted)) or forced or own
    method = method or ("INCREMENTAL" if column else "FULL_TABLE")
    return Replication(method, column if method == "INCREMENTAL" else "")


def _method(given: str) -> str:
    if given and given.upper() not in _METHODS:
        raise ConfigurationError(f"'{given}' is no replication method", remedy=f"use one of {', '.join(_METHODS)}")
    return given.upper()


def _replication_key(entry: Mapping[str, Any], stream: StreamSpec) -> str:
    root = _of(entry, ())
    valid = [str(each) for each in root.get("valid-replication-keys") or ()]
    asked = str(stream.options.get("replication_key") or stream.incremental.cursor_field or "")
    if asked and valid and asked not in valid:
        hint = did_you_mean(asked, valid) or f"it can follow: {listed(valid)}"
        raise ConfigurationError(f"the tap cannot follow '{asked}' of '{_id(entry)}'", remedy=hint)
    own = root.get("replication-key") or entry.get("replication_key")
    return asked or str(own or (valid[0] if valid else ""))


def selected(entry: Mapping[str, Any], columns: Iterable[str], how: Replication) -> dict[str, Any]:
    """The entry with what is to be read marked, in the words of today's taps and of older ones."""
    wanted = {*columns, *key(entry), how.key} if columns else None
    root = {**_of(entry, ()), "selected": True, "replication-method": how.method}
    root |= {"replication-key": how.key} if how.key else {}
    below = [
        {"breadcrumb": ["properties", name], "metadata": _marked(_of(entry, ("properties", name)), name, wanted)}
        for name in (entry.get("schema") or {}).get("properties") or ()
    ]
    others = [each for each in entry.get("metadata") or () if len(each.get("breadcrumb") or ()) > 2]
    made = {**entry, "selected": True, "replication_method": how.method}
    made |= {"replication_key": how.key} if how.key else {}
    schema = {**(entry.get("schema") or {}), "selected": True}
    return {**made, "schema": schema, "metadata": [{"breadcrumb": [], "metadata": root}, *below, *others]}


def _marked(found: Mapping[str, Any], name: str, wanted: set[str] | None) -> dict[str, Any]:
    readable = found.get("inclusion") != _UNREAD
    return {**found, "selected": readable and (wanted is None or name in wanted)}


def _of(entry: Mapping[str, Any], breadcrumb: tuple[str, ...]) -> Mapping[str, Any]:
    for each in entry.get("metadata") or ():
        if isinstance(each, Mapping) and tuple(each.get("breadcrumb") or ()) == breadcrumb:
            found = each.get("metadata")
            return found if isinstance(found, Mapping) else {}
    return {}
