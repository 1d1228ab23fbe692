"""What every place for small files can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dativo_provider.errors import DataError

__all__ = ["FileInfo", "FileMissing", "FileStore"]


@dataclass(frozen=True)
class FileInfo:
    """`mtime` is seconds since the epoch."""

    uri: str
    size: int
    mtime: float


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

    def list(self, prefix: str) -> list[FileInfo]:
        """Every file below the folder `prefix`, at any depth, sorted by URI; none when there is no such folder."""

    def delete(self, uri: str) -> None:
        """Nothing there is no error."""

    def exists(self, uri: str) -> bool: ...
