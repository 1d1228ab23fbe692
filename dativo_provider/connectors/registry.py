"""Which connectors there are, and how to open one (CFG-05, CFG-06, CFG-15).

A connector is a module (or package) of this package that names itself in `CONNECTORS`, a tuple of `ConnectorInfo`.
Such a module is imported whenever YAML is parsed, so its top imports nothing heavy; `module` may point to another
one that does. `<leaf>_*.py` and `_*.py` are a leaf's private parts and are not looked at. Other distributions add
theirs as an entry point of group `dativo.connectors` whose value is a `ConnectorInfo`. The leaves that name many
connectors come first, so that a leaf of a connector's own replaces what they say.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import dativo_provider.connectors
from dativo_provider.config.plugged import ENTRY_POINT_GROUP
from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.stream import Capabilities
from dativo_provider.vocabulary import Mode, Role

__all__ = ["ENTRY_POINT_GROUP", "ConnectorInfo", "connector", "connectors", "open_reader", "require"]

_FRAME = {"base", "guide", "registry"}
_GENERAL = ("declared", "rest")


@dataclass(frozen=True)
class ConnectorInfo:
    """What is known of a connector without opening it.

    `reader` and `target` are `module:Class`; a role without one can be validated but not run by this version.
    The first of `strategies` is the default. `connection`, `options` (name → meaning) and `notes` are for the
    connector's page.
    """

    name: str
    roles: tuple[Role, ...]
    category: str
    description: str
    capabilities: Capabilities = Capabilities()
    strategies: tuple[str, ...] = ()
    reader: str = ""
    target: str = ""
    connection: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def extra(self) -> str:
        return self.capabilities.extra

    def runs(self, role: Role) -> bool:
        return bool(self._path(role))

    def load(self, role: Role) -> type[Any]:
        """The class that plays `role`; its libraries are imported now. Raises `Unsupported` when there is none."""
        if not self.runs(role):
            able = _names(lambda each: each.runs(role))
            raise Unsupported(
                f"connector '{self.name}' is known as a {role} but cannot be run by this version",
                remedy=f"it can run: {able}",
            )
        module, _, name = self._path(role).partition(":")
        loaded: type[Any] = getattr(import_module(module), name)
        return loaded

    def _path(self, role: Role) -> str:
        return self.reader if role == "source" else self.target


# Sources that no job may name: the engine reads them itself.
_OWN = {
    "quarantine": ConnectorInfo(
        "quarantine", ("source",), "inbox", "rows of the quarantine on their way back",
        reader="dativo_provider.pipeline.inbox.reader:InboxReader",
    )
}  # fmt: skip


def connector(name: str) -> ConnectorInfo:
    """Raises `ConfigurationError` with the nearest known name."""
    found = _OWN.get(name) or _built_in().get(name) or _plugged_in().get(name)
    if found:
        return found
    known = sorted(connectors())
    nearest = get_close_matches(name, known, 1)
    hint = f"did you mean '{nearest[0]}'? " if nearest else ""
    raise ConfigurationError(f"unknown connector '{name}'", remedy=f"{hint}known: {', '.join(known)}")


def connectors() -> dict[str, ConnectorInfo]:
    """Every connector of this package and of installed plugins, by name."""
    return {**_plugged_in(), **_built_in()}


def require(name: str, role: Role, mode: str | Mode = "self_hosted") -> ConnectorInfo:
    """The connector, when it may be used as `role` in `mode`. Raises `ConfigurationError`.

    Whether this version can also run it is `runs(role)`.
    """
    info = connector(name)
    if role not in info.roles:
        able = _names(lambda each: role in each.roles)
        raise ConfigurationError(f"connector '{name}' cannot be a {role}", remedy=f"use one of: {able}")
    if mode == "cloud" and not info.capabilities.allowed_in_cloud:
        raise ConfigurationError(
            f"{info.category} connector '{name}' is not allowed in cloud mode",
            remedy="run the job in self_hosted mode on a machine inside the source's network",
        )
    return info


def open_reader(source: SourceSpec, ctx: RunContext) -> Reader:
    """A reader for `source`. Raises `Unsupported` when this version only knows the connector by name."""
    info = require(source.connector, "source", ctx.settings.mode)
    reader: Reader = info.load("source")(source, ctx)
    return reader


def _names(fits: Callable[[ConnectorInfo], bool]) -> str:
    return ", ".join(sorted(name for name, each in connectors().items() if fits(each)))


@cache
def _built_in() -> dict[str, ConnectorInfo]:
    found: dict[str, ConnectorInfo] = {}
    for name in _leaves():
        for info in getattr(import_module(f"{dativo_provider.connectors.__name__}.{name}"), "CONNECTORS", ()):
            if info.name not in found or info.reader or info.target:
                found[info.name] = info
    return found


def _leaves() -> Iterator[str]:
    names = {each.name for each in pkgutil.iter_modules(dativo_provider.connectors.__path__)} - _FRAME
    for name in (*_GENERAL, *sorted(names.difference(_GENERAL))):
        private = name.startswith("_") or any(name.startswith(f"{other}_") for other in names)
        if not private:
            yield name


@cache
def _plugged_in() -> dict[str, ConnectorInfo]:
    return {point.name: _load(point) for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load(point: EntryPoint) -> ConnectorInfo:
    try:
        info = point.load()
    except Exception as error:
        raise ConfigurationError(
            f"connector plugin '{point.name}' ({point.value}) cannot be imported: {error}",
            remedy="repair or uninstall the distribution that declares it",
        ) from error
    if not isinstance(info, ConnectorInfo) or info.name != point.name:
        raise ConfigurationError(
            f"connector plugin '{point.name}' ({point.value}) is not a ConnectorInfo of that name",
            remedy="let the entry point name a ConnectorInfo whose `name` is the entry point's",
        )
    return info
