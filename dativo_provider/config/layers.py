"""Files merged over one another, and where each merged value came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.yamlpos import Document, Key

__all__ = ["Findings", "Layers", "Located", "Within", "merged", "merged_once"]


class Located(Protocol):
    """Something whose keys have places."""

    def spot(self, keys: Sequence[Key], *, value: bool = False) -> tuple[str, int, int]: ...


@dataclass(frozen=True)
class Within:
    """A part of a document: `keys` are read below `prefix`."""

    document: Document
    prefix: tuple[Key, ...] = ()

    def spot(self, keys: Sequence[Key], *, value: bool = False) -> tuple[str, int, int]:
        return self.document.path, *self.document.place((*self.prefix, *keys), value=value)

    def depth(self, keys: Sequence[Key]) -> int:
        return self.document.depth((*self.prefix, *keys)) - len(self.prefix)


@dataclass(frozen=True)
class Layers:
    """Later layers win. A key's place is in the last layer that has it, or most of the way to it."""

    layers: tuple[Within, ...]

    def spot(self, keys: Sequence[Key], *, value: bool = False) -> tuple[str, int, int]:
        best = max(reversed(self.layers), key=lambda layer: layer.depth(keys))
        return best.spot(keys, value=value)


@dataclass
class Findings:
    """Collects problems; `raise_errors` ends with all of them at once."""

    problems: list[Problem] = field(default_factory=list)
    _mended: set[tuple[str, int, int]] = field(default_factory=set)

    def mended(self, at: Located, keys: Sequence[Key]) -> None:
        """The key has been reported and is read on as something else: what only follows from that is not reported."""
        self._mended |= {at.spot(keys), at.spot(keys, value=True), at.spot(keys[:-1])}

    def error(self, at: Located, keys: Sequence[Key], message: str, remedy: str = "", *, value: bool = True) -> None:
        self._add(at, keys, message, remedy, value, warning=False)

    def warn(self, at: Located, keys: Sequence[Key], message: str, remedy: str = "", *, value: bool = True) -> None:
        self._add(at, keys, message, remedy, value, warning=True)

    def _add(self, at: Located, keys: Sequence[Key], message: str, remedy: str, value: bool, *, warning: bool) -> None:
        path, line, column = spot = at.spot(keys, value=value)
        if spot in self._mended:
            return
        key = ".".join(str(part) for part in keys)
        found = Problem(path, line, column, key, message, remedy, "warning" if warning else "error")
        if found not in self.problems:
            self.problems.append(found)

    def extend(self, problems: Sequence[Problem]) -> None:
        self.problems += [problem for problem in problems if problem not in self.problems]

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{each.where}: {each.text}" for each in self.problems if each.severity == "warning")

    def raise_errors(self) -> None:
        if self.failed:
            raise InvalidConfig(sorted(self.problems, key=lambda each: (each.path, each.line, each.column)))


def merged(below: Any, above: Any) -> Any:
    """Mappings merge at every depth; lists and values replace."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: merged(below[key], value) if key in below else value for key, value in above.items()}}


def merged_once(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """A job's block over a recipe's: the mappings inside merge one level deep, lists replace."""
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            both[key] = {**below[key], **above[key]}
    return both
