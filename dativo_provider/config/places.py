"""Where a job stands, which tenant it belongs to, and which files beside it may be read.

`tenants/<tenant>/jobs/<job>.yaml` below the root is the layout; `jobs/<tenant>/<job>.yaml` and files that lie flat
in the root work too. A path that leaves the root, or enters another tenant's folder, is refused, whatever `..` or
symbolic links it takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

__all__ = ["Place", "is_below", "normal", "place_of", "tenants_below", "within_tenant"]

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Place:
    """`folder` is the tenant's own (`tenants/acme`), or None where the tenant stands in the file only."""

    path: Path
    root: Path
    tenant: str = ""
    folder: Path | None = None
    relative: bool = False  # the path was given relative to the working directory

    def shown(self, path: str | Path) -> str:
        """`path` in the manner the job's own was given."""
        return os.path.relpath(path) if self.relative else str(path)

    @property
    def name(self) -> str:
        return self.path.stem.removesuffix(".job")

    @property
    def exclusive(self) -> bool:
        """Whether the tenant has a folder to itself, so that nothing outside of it is its own."""
        return self.folder is not None and self.folder.parent.name == "tenants"

    def bases(self) -> Iterator[Path]:
        """Folders that relative paths are looked up from, nearest first."""
        seen = set()
        for base in (self.path.parent, self.folder, self.root):
            if base is not None and base not in seen:
                seen.add(base)
                yield base


def normal(path: str | Path) -> Path:
    """Absolute, without `..`; symbolic links are kept, so that messages name what the user wrote."""
    return Path(os.path.abspath(path))


def place_of(path: str | Path, root: str | Path | None = None) -> Place:
    absolute = normal(path)
    found = _below(absolute, normal(root)) if root is not None else _guessed(absolute)
    return replace(found, relative=not os.path.isabs(path))


def _guessed(path: Path) -> Place:
    """Without a root: the folder that holds `tenants/` or `jobs/`, else the file's own."""
    parents = path.parents
    for at, parent in enumerate(parents):
        if parent.name == "tenants" and at > 0:
            return _below(path, parents[at + 1])
    if len(parents) > 2 and parents[1].name == "jobs":
        return _below(path, parents[2])
    return Place(path, path.parent)


def _below(path: Path, root: Path) -> Place:
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    for holder in ("tenants", "jobs"):
        if holder in parts[:-2]:
            at = parts.index(holder)
            return Place(path, root, parts[at + 1], root.joinpath(*parts[: at + 2]))
    if root.name == "tenants" and len(parts) > 1:
        return Place(path, root.parent, parts[0], root / parts[0])
    if root.parent.name == "tenants" and parts:
        return Place(path, root.parent.parent, root.name, root)
    if root.name == "jobs" and root.parent.parent.name == "tenants" and parts:
        return Place(path, root.parent.parent.parent, root.parent.name, root.parent)
    return Place(path, root)


def is_below(path: Path, root: Path) -> bool:
    """Whether the file really lies in the folder, symbolic links followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def within_tenant(path: Path, place: Place) -> bool:
    """Whether the job may read the file: below the root, and in no other tenant's folder."""
    if not is_below(path, place.root):
        return False
    real = Path(os.path.realpath(path))
    tenants = Path(os.path.realpath(place.root)) / "tenants"
    if not real.is_relative_to(tenants):
        return True
    return real.relative_to(tenants).parts[0] == place.tenant


def tenants_below(root: Path) -> frozenset[str]:
    """Tenants that have a folder; used to tell `acme_eu`'s names from `acme`'s."""
    folder = root / "tenants"
    try:
        return _tenants(folder, folder.stat().st_mtime_ns)
    except OSError:
        return frozenset()


@lru_cache(maxsize=64)
def _tenants(folder: Path, _: int) -> frozenset[str]:
    return frozenset(entry.name for entry in os.scandir(folder) if entry.is_dir())
