"""An Airbyte catalog: what a stream holds, and how it is asked for.

https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol#airbytecatalog
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.bridge.schema import fields_of
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field

__all__ = ["configured", "cursor", "entries", "fields", "is_incremental", "key"]


def entries(catalog: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By name, with the namespace before it where two streams share one."""
    found = [each for each in catalog.get("streams") or () if isinstance(each, Mapping)]
    names = [str(each.get("name")) for each in found]
    return {_name(each, names): each for each in found}


def _name(entry: Mapping[str, Any], names: Iterable[str]) -> str:
    name, space = str(entry.get("name")), entry.get("namespace")
    return f"{space}.{name}" if space and list(names).count(name) > 1 else name


def fields(entry: Mapping[str, Any]) -> tuple[Field, ...]:
    return fields_of(entry.get("json_schema") or {})


def key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Of plain properties only: a key inside a nested value is the contract's to say."""
    paths = entry.get("source_defined_primary_key") or ()
    return tuple(str(path[0]) for path in paths) if all(len(path) == 1 for path in paths) else ()


def is_incremental(entry: Mapping[str, Any], stream: StreamSpec) -> bool:
    asked = stream.incremental.strategy != "full_refresh"
    return asked and "incremental" in (entry.get("supported_sync_modes") or ())


def cursor(entry: Mapping[str, Any], stream: StreamSpec) -> list[str]:
    """The path of the property that says what is new. Raises `ConfigurationError` where the job must name it."""
    own = [str(each) for each in entry.get("default_cursor_field") or ()]
    asked = str(stream.options.get("cursor_field") or stream.incremental.cursor_field or "")
    if entry.get("source_defined_cursor"):
        return own
    names = [each.name for each in fields(entry)]
    if asked and names and asked not in names:
        hint = did_you_mean(asked, names) or f"it has: {listed(names)}"
        raise ConfigurationError(f"'{entry.get('name')}' has no property '{asked}'", remedy=hint)
    if not asked and not own:
        raise ConfigurationError(
            f"the source does not say what is new in '{entry.get('name')}'",
            remedy="name a property as `cursor_field`, or read in full: strategy: full_refresh",
        )
    return [asked] if asked else own


def configured(entry: Mapping[str, Any], stream: StreamSpec) -> dict[str, Any]:
    """A catalog of this stream alone. Sources that select columns find those of the job in its schema."""
    schema = dict(entry.get("json_schema") or {})
    path = cursor(entry, stream) if is_incremental(entry, stream) else []
    if stream.columns and isinstance(schema.get("properties"), Mapping):
        wanted = {*stream.columns, *key(entry), *path[:1]}
        schema["properties"] = {name: each for name, each in schema["properties"].items() if name in wanted}
    how = {"sync_mode": "incremental", "cursor_field": path} if path else {"sync_mode": _whole(entry, stream)}
    chosen = {
        "stream": {**entry, "json_schema": schema}, **how, "destination_sync_mode": "append",
        "primary_key": entry.get("source_defined_primary_key") or [],
        "generation_id": 0, "minimum_generation_id": 0, "sync_id": 0,
    }  # fmt: skip
    return {"streams": [chosen]}


def _whole(entry: Mapping[str, Any], stream: StreamSpec) -> str:
    """A cursor the source keeps to itself has no path."""
    return "incremental" if is_incremental(entry, stream) else "full_refresh"
