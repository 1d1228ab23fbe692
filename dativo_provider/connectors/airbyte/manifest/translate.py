"""A manifest as a spec, with what could not be translated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dativo_provider.connectors.airbyte.manifest.auth import auth
from dativo_provider.connectors.airbyte.manifest.notes import Notes, Unmapped
from dativo_provider.connectors.airbyte.manifest.resolve import resolved
from dativo_provider.connectors.airbyte.manifest.streams import Made, Schemas, stream

__all__ = ["Translated", "translated"]


@dataclass(frozen=True)
class Translated:
    """`spec` is empty of streams when none could be translated; `unmapped` tells why, stream by stream."""

    spec: dict[str, Any]
    unmapped: tuple[Unmapped, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.path.split(".")[1] for each in self.unmapped if each.grave))


def translated(manifest: Mapping[str, Any], name: str, schemas: Schemas = lambda _: None) -> Translated:
    """`name` is what jobs call the connector; `schemas` gives those that lie beside the manifest. Raises
    `ConfigurationError` for references that lead nowhere."""
    whole = resolved(manifest)
    made, unmapped, settings = _streams(whole, schemas)
    general = Notes()
    if whole.get("dynamic_streams"):
        general.cannot("streams that are made at run time have no counterpart", "dynamic_streams", grave=False)
    base = _commonest(each.base for each in made.values())
    ways = _login(made, general)
    errors = _distinct(rule for each in made.values() for rule in each.errors)
    spec = {
        "api": name, "base_url": base or "https://api.example.com", "settings": {}, "auth": ways or {"type": "none"},
        **({"errors": errors} if errors else {}),
        "streams": {key: _below(each, base) for key, each in made.items()},
    }  # fmt: skip
    settings |= general.settings
    spec["settings"] = _settings(whole, settings)
    return Translated(spec, (*unmapped, *general.found))


def _streams(whole: Mapping[str, Any], schemas: Schemas) -> tuple[dict[str, Made], list[Unmapped], dict[str, Any]]:
    """Those without a grave note, and the parents they need."""
    waiting = [each for each in whole.get("streams") or () if isinstance(each, Mapping)]
    made: dict[str, Made] = {}
    seen: set[str] = set()
    unmapped: list[Unmapped] = []
    settings: dict[str, Any] = {}
    while waiting:
        component = waiting.pop(0)
        name, notes = str(component.get("name")), Notes()
        if name in seen:
            continue
        seen.add(name)
        with notes.at("streams", name):
            found = stream(component, notes, schemas)
        unmapped += notes.found
        if not any(each.grave for each in notes.found):
            made[name] = found
            settings |= notes.settings
            waiting += found.parents
    return _with_parents(made, unmapped), unmapped, settings


def _with_parents(made: dict[str, Made], unmapped: list[Unmapped]) -> dict[str, Made]:
    while True:
        orphans = [name for name, each in made.items() if each.spec.get("parent", {}).get("stream", name) not in made]
        if not orphans:
            return made
        for name in orphans:
            parent = made.pop(name).spec["parent"]["stream"]
            unmapped.append(Unmapped(f"streams.{name}", f"its parent '{parent}' could not be translated", True))


def _commonest(values: Iterator[str]) -> str:
    found = Counter(values).most_common(1)
    return found[0][0] if found else ""


def _login(made: dict[str, Made], notes: Notes) -> list[dict[str, Any]]:
    found = {str(_bare(each.authenticator)): each.authenticator for each in made.values()}
    if len(found) > 1:
        notes.cannot("streams log in in different ways; the first one's is taken", "authenticator", grave=False)
    with notes.at("streams", next(iter(made), ""), "retriever", "requester", "authenticator"):
        return auth(next(iter(found.values())), notes) if found else []


def _bare(value: Any) -> Any:
    """Without what was handed down to it, which names the stream."""
    if isinstance(value, Mapping):
        own = value.get("$parameters") or {}
        return {key: _bare(each) for key, each in value.items() if key != "$parameters" and own.get(key) != each}
    return value


def _distinct(rules: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({str(rule): rule for rule in rules}.values())


def _below(made: Made, base: str) -> dict[str, Any]:
    """A stream whose address is another says it whole."""
    if made.base != base:
        request = made.spec["request"]
        request["path"] = f"{made.base}{request['path']}"
    return made.spec


def _settings(whole: Mapping[str, Any], used: Mapping[str, Any]) -> dict[str, Any]:
    """Only those that the spec refers to, as the manifest explains them."""
    told = dict(_properties(((whole.get("spec") or {}).get("connection_specification")) or {}))
    return {name: _setting(told.get(name) or {}, default) for name, default in used.items()}


def _properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, each in (schema.get("properties") or {}).items():
        if isinstance(each, Mapping):
            yield str(name), {**each, "needed": name in (schema.get("required") or ())}
            yield from _properties(each)
    for each in schema.get("oneOf") or ():
        yield from _properties(each)


def _setting(told: Mapping[str, Any], default: Any) -> dict[str, Any]:
    value = default if default is not None else told.get("default")
    said = " ".join(str(told.get("description") or told.get("title") or "").split())
    made = {
        "description": said,
        "default": value if isinstance(value, (str, int)) and not isinstance(value, bool) else None,
        "secret": bool(told.get("airbyte_secret")),
        "optional": not told.get("needed", True),
    }
    return {key: each for key, each in made.items() if each not in ("", None, False)}
