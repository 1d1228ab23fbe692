"""What every place for small files can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dativo_provider.errors import DataError, SourceChanged

__all__ = ["FileInfo", "FileMissing", "FileStore", "Labels", "ObjectStore", "replaced"]


@dataclass(frozen=True)
class FileInfo:
    """`mtime` is seconds since the epoch; `version` is what the store calls this content (an ETag, a generation).

    Where it has a hash of the bytes as well, that follows behind a slash: `1700000000000000/AAAAAA==`.
    """

    uri: str
    size: int
    mtime: float
    version: str = ""


@dataclass(frozen=True)
class Labels:
    """What an object store keeps beside an object. `tags` are at most ten; values may hold any text."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class FileMissing(DataError, FileNotFoundError):
    """Nothing is stored under this URI. Also a `FileNotFoundError`, for callers that branch on it."""

    code = "FILE_MISSING"


class FileStore(Protocol):
    """Whole files only; every write is atomic: a reader sees all of a file or none.

    All methods raise `StorageUnavailable` (unreachable, full) and `CredentialError` (not allowed).
    """

    def read(self, uri: str) -> bytes:
        """Raises `FileMissing`."""

    def write(self, uri: str, data: bytes) -> None:
        """Create or replace."""

    def write_new(self, uri: str, data: bytes) -> bool:
        """Create; False when something is already there, whoever of several racing writers came first."""

    def copy(self, source: str, target: str, labels: Labels | None = None) -> None:
        """Create or replace `target` with the bytes of `source` in the same store; they do not pass through here.

        A store without labels ignores them. Raises `FileMissing`.
        """

    def list(self, prefix: str) -> list[FileInfo]:
        """Every file below the folder `prefix`, at any depth, sorted by URI; none when there is no such folder."""

    def delete(self, uri: str) -> None:
        """Nothing there is no error."""

    def exists(self, uri: str) -> bool: ...


class ObjectStore(FileStore, Protocol):
    """Large objects too: listed page by page, and read by ranges of the version that was listed."""

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        """Every object whose URI begins with `prefix`, sorted by URI; one page is in memory."""

    def read_part(self, info: FileInfo, at: int, size: int) -> bytes:
        """The bytes [at, at + size) of the listed version. Raises `SourceChanged` when another one has replaced it."""


def replaced(uri: str, what: str = "changed") -> SourceChanged:
    return SourceChanged(
        f"the file {what} after this run was planned", where=uri, remedy="start a new run, which reads it whole"
    )
