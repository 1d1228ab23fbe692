"""What a translation has to say: components without a counterpart, by their path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Notes", "Unmapped"]


@dataclass(frozen=True)
class Unmapped:
    """`grave`: the stream would be read wrongly without it."""

    path: str
    what: str
    grave: bool = False


@dataclass
class Notes:
    """`settings` are those that texts of the manifest refer to, with their defaults."""

    found: list[Unmapped] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    _path: list[str] = field(default_factory=list)

    @contextmanager
    def at(self, *keys: str | int) -> Iterator[None]:
        self._path += map(str, keys)
        try:
            yield
        finally:
            del self._path[-len(keys) :]

    def cannot(self, what: str, *keys: str | int, grave: bool = True) -> None:
        self.found.append(Unmapped(".".join([*self._path, *map(str, keys)]), what, grave))

    def unknown(self, component: Mapping[str, Any], *keys: str | int, grave: bool = True) -> None:
        self.cannot(f"{component.get('type') or 'a component without a type'} has no counterpart", *keys, grave=grave)
