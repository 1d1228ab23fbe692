"""Trees of Git: whole ones, however large, and what tells two of them apart. https://docs.github.com/en/rest/git/trees"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dativo_provider.errors import SourceChanged

__all__ = ["Choice", "Diff", "Entry", "entries", "root", "told_apart"]

Entry = Mapping[str, Any]  # path, type, mode, sha and size, as GitHub says them
Ask = Callable[[str, bool], Mapping[str, Any]]  # the answer for a tree, with everything below it or alone


def root(ask: Ask, name: str) -> tuple[str, Iterator[Entry]]:
    """The SHA of the tree that `name` leads to, and all that is in it."""
    answer = ask(name, True)
    return str(answer["sha"]), _below(ask, answer)


def entries(ask: Ask, sha: str) -> Iterator[Entry]:
    return _below(ask, ask(sha, True))


def _below(ask: Ask, answer: Mapping[str, Any]) -> Iterator[Entry]:
    """What one answer cannot hold (100,000 entries, 7 MB) is asked for folder by folder."""
    if not answer.get("truncated"):
        yield from answer["tree"]
        return
    alone = ask(str(answer["sha"]), False)
    if alone.get("truncated"):
        raise SourceChanged("a folder has more entries than GitHub lists", remedy="read the files from a clone")
    for entry in alone["tree"]:
        yield entry
        if entry["type"] == "tree":
            for below in entries(ask, entry["sha"]):
                yield {**below, "path": f"{entry['path']}/{below['path']}"}


@dataclass(frozen=True)
class Choice:
    """Which files are read: by patterns of their paths (none: all), and whose text: up to `largest` bytes."""

    patterns: tuple[str, ...]
    largest: int

    @classmethod
    def of(cls, paths: str, largest: int) -> Choice:
        return cls(tuple(each.strip() for each in paths.split(",") if each.strip()), largest)

    def files(self, found: Iterator[Entry]) -> dict[str, Entry]:
        return {each["path"]: each for each in found if each["type"] == "blob" and self._wants(each["path"])}

    def too_large(self, entry: Entry) -> bool:
        return int(entry.get("size") or 0) > self.largest

    def _wants(self, path: str) -> bool:
        return not self.patterns or any(fnmatchcase(path, each) for each in self.patterns)


@dataclass(frozen=True)
class Diff:
    """Files that are new or other than before, and paths that are no longer there."""

    changed: tuple[Entry, ...]
    gone: tuple[str, ...]


def told_apart(before: Mapping[str, Entry], old: Choice, now: Mapping[str, Entry], new: Choice) -> Diff:
    """A file is the same while its content, its mode and whether it is too large are."""

    def marks(entry: Entry, choice: Choice) -> tuple[Any, ...]:
        return entry["sha"], entry["mode"], choice.too_large(entry)

    known = {path: marks(each, old) for path, each in before.items()}
    changed = tuple(each for path, each in now.items() if known.get(path) != marks(each, new))
    return Diff(changed, tuple(path for path in before if path not in now))
