"""Which files a job means, and that they lie where it may read.

`SourceSpec.roots` are the only folders a job can reach; the first is the base of relative paths. Nothing leaves
them: not `..`, not an absolute path, not a symbolic link. A folder means the files of its kind anywhere below it; `**`
in a pattern crosses folders; names that begin with a dot are seen only by patterns that say the dot.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dativo_provider.errors import ConfigurationError, CredentialError, Unsupported

__all__ = ["CSV_NAMES", "PACKED_NAMES", "Found", "Roots"]

PACKED_NAMES = (".gz", ".gzip", ".zst", ".zstd")

_MAGIC = re.compile(r"[*?\[]")
CSV_NAMES = re.compile(r"\.(csv|tsv|txt)(\.(gz|gzip|zst|zstd))?$", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A file as `plan` sees it. `path` is its name in state: below the first root, or absolute in another.

    `version` is what an object store calls this content: an ETag, a generation.
    """

    path: str
    size: int
    mtime_ns: int
    version: str = ""


class Roots:
    """`names` are the files that a folder means."""

    def __init__(self, roots: Sequence[str], names: re.Pattern[str] = CSV_NAMES) -> None:
        if not roots:
            raise ConfigurationError(
                "the job has no folder it may read files from",
                remedy="give the tenant a folder under 'roots', or put the files beside the job",
            )
        self._names = names
        given = [_local(root) for root in roots]
        self._roots = [root.resolve() for root in given]
        # a pattern may spell the root as the operator did, through a symbolic link
        self._spellings = dict(zip(map(str, given), self._roots, strict=True))

    def check(self) -> None:
        """Raises `ConfigurationError` when a root is not there, `CredentialError` when it cannot be listed."""
        for root in self._roots:
            _check_root(root)

    def find(self, wanted: str) -> list[Found]:
        """The files of `wanted`, comma-separated paths, folders or patterns, by name, each once.

        Raises `ConfigurationError` for a single file that is not there and for anything outside the roots.
        """
        found = {self._name(path): path for pattern in self._patterns(wanted) for path in self._expand(pattern)}
        return [_stat(name, found[name]) for name in sorted(found)]

    def spelled(self, wanted: str) -> list[str]:
        """The patterns of `wanted`, spelled as `Found.path` is."""
        return [self._name(pattern) for pattern in self._patterns(wanted)]

    def locate(self, name: str) -> Path:
        """The real path of `Found.path`, checked again: links may have changed since."""
        return self._inside(self._roots[0] / name)

    def _patterns(self, wanted: str) -> Iterator[Path]:
        if "," in wanted and (self._roots[0] / wanted).is_file():
            yield self._absolute(wanted)
            return
        for part in filter(None, map(str.strip, wanted.split(","))):
            yield self._absolute(part)

    def _absolute(self, part: str) -> Path:
        path = _local(part)
        if ".." in path.parts:
            raise _outside(part)
        for spelling, root in self._spellings.items():
            if path.is_relative_to(spelling):
                return root / path.relative_to(spelling)
        absolute = self._roots[0] / path
        if not any(absolute.is_relative_to(root) for root in self._roots):
            raise _outside(part)
        return absolute

    def _expand(self, pattern: Path) -> Iterable[Path]:
        root = next(root for root in self._roots if pattern.is_relative_to(root))
        _check_root(root)  # a volume that is not mounted is not a folder without new files
        parts = pattern.relative_to(root).parts
        if any(_MAGIC.search(part) for part in parts):
            return self._match(root, parts)
        real = self._inside(pattern)
        if real.is_dir():
            return (path for path in self._match(pattern, ("**", "*")) if self._names.search(path.name))
        if not real.is_file():
            raise ConfigurationError(
                f"there is no file {pattern}", remedy="correct the path, or use a pattern if files come and go"
            )
        return [pattern]

    def _match(self, folder: Path, parts: Sequence[str]) -> Iterator[Path]:
        head, rest = parts[0], parts[1:]
        if head == "**":
            yield from self._match(folder, rest or ("*",))
            for entry in _entries(folder):
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield from self._match(folder / entry.name, parts)
        elif _MAGIC.search(head):
            for entry in _entries(folder):
                if _matches(entry.name, head):
                    yield from self._step(folder / entry.name, rest)
        else:
            yield from self._step(folder / head, rest)

    def _step(self, path: Path, rest: Sequence[str]) -> Iterator[Path]:
        if rest:
            if self._inside(path).is_dir():
                yield from self._match(path, rest)
        elif self._inside(path).is_file():
            yield path

    def _inside(self, path: Path) -> Path:
        real = path.resolve()
        if not any(real.is_relative_to(root) for root in self._roots):
            raise _outside(str(path))
        return real

    def _name(self, path: Path) -> str:
        first = self._roots[0]
        return path.relative_to(first).as_posix() if path.is_relative_to(first) else str(path)


def _check_root(root: Path) -> None:
    if not root.is_dir():
        raise ConfigurationError(f"the folder {root} does not exist", remedy="create or mount it, or correct the path")
    if not os.access(root, os.R_OK | os.X_OK):
        raise CredentialError(f"the folder {root} cannot be read", remedy=f"let this user read {root}")


def _local(path: str) -> Path:
    """A path or `file:` URI as a path."""
    scheme, _, _ = path.partition("://")
    if "://" not in path:
        if "\0" in path:
            raise ConfigurationError("a path holds a NUL character")
        return Path(path)
    if scheme.lower() != "file":
        raise Unsupported(
            f"this connector reads local files, not {scheme}:// paths",
            where=path,
            remedy="use source_connector s3, minio, gcs or azure_blob, or copy the files to a local folder",
        )
    return Path(unquote(urlsplit(path).path))


def _outside(path: str) -> ConfigurationError:
    return ConfigurationError(
        "the path leaves the folders this job may read",
        where=path,
        remedy="use a path below the tenant's folders, or let the operator add one under 'roots' in the tenant file",
    )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as error:
        raise CredentialError(f"the folder {folder} cannot be listed", remedy=f"let this user read {folder}") from error


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))


def _stat(name: str, path: Path) -> Found:
    facts = path.stat()
    return Found(name, facts.st_size, facts.st_mtime_ns)
