"""One file, opened as it was planned and proved unchanged when it has been read."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.part import Part
from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.errors import CredentialError, DativoError, SourceChanged, SourceUnavailable

__all__ = ["CsvFile", "Hashed", "sha256_of", "sha256_of_rest", "translated"]

_STEP = 1 << 20


class CsvFile:
    """A context whose `text` is the file's. Raises `SourceChanged` unless it is the planned one from open to end."""

    def __init__(self, real: Path, planned: Found, dialect: Dialect) -> None:
        self._real, self._planned, self._dialect = real, planned, dialect
        self._left, self._part = 0, hashlib.sha256()

    def __enter__(self) -> Self:
        try:
            self._raw = self._real.open("rb", buffering=0)
        except FileNotFoundError:
            raise self._changed("was removed") from None
        try:
            self._require_planned()
            self.text = TextStream(self._raw, self._dialect, self._planned.path, hashed=True)
        except BaseException:
            self._raw.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.text.close()

    @property
    def size(self) -> int:
        return self._planned.size

    def finish(self, rows: int) -> dict[str, Any]:
        """The fingerprint of what was read."""
        while self.text.read(_STEP):
            pass
        self._require_planned()
        if self.text.size != self._planned.size:
            raise self._changed("changed")
        planned = self._planned
        return {"size": planned.size, "mtime_ns": planned.mtime_ns, "sha256": self.text.sha256, "rows": rows}

    def part(self, part: Part) -> Callable[[int], bytes]:
        """Reads the bytes of `part`, instead of what follows in `text`."""
        self._raw.seek(part.begin)
        self._left, self._part = part.end - part.begin, hashlib.sha256()
        return self._read_part

    def _read_part(self, size: int) -> bytes:
        data = self._raw.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        self._part.update(data)
        return data

    def finish_part(self, part: Part, rows: int) -> dict[str, Any]:
        """The same of a part, which has to be the one that was planned."""
        self._require_planned()
        if self._left or self._part.hexdigest() != part.sha256:
            raise self._changed("changed")
        return {"size": self.size, "mtime_ns": self._planned.mtime_ns, "sha256": part.whole, "rows": rows}

    def _require_planned(self) -> None:
        facts = os.fstat(self._raw.fileno())
        if (facts.st_size, facts.st_mtime_ns) != (self._planned.size, self._planned.mtime_ns):
            raise self._changed("changed")

    def _changed(self, what: str) -> SourceChanged:
        return SourceChanged(
            f"the file {what} after this run was planned",
            where=self._planned.path,
            remedy="start a new run; deliver files under another name and rename them once they are whole",
        )


def sha256_of(path: Path, still_wanted: Callable[[], None]) -> str:
    """`still_wanted` is called now and then, and may raise."""
    with path.open("rb", buffering=0) as file:
        return sha256_of_rest(file, still_wanted)


class Hashed(io.FileIO):
    """A descriptor; with `hashes`, `sha256` is of what has been read of it."""

    def __init__(self, descriptor: int, hashes: bool) -> None:
        super().__init__(descriptor)
        self.sha256, self._hashes = hashlib.sha256(), hashes

    def readinto(self, buffer: Any) -> int:
        size = super().readinto(buffer)
        if self._hashes:
            self.sha256.update(memoryview(buffer)[:size])
        return size

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size)
        if self._hashes:
            self.sha256.update(data)
        return data

    readall = io.RawIOBase.readall  # by `read`


def sha256_of_rest(file: BinaryIO | io.RawIOBase, still_wanted: Callable[[], None], sha256: Any = None) -> str:
    """Of what follows in `file`, or of that after what `sha256` has seen."""
    sha256 = sha256 or hashlib.sha256()
    while data := file.read(_STEP):
        still_wanted()
        sha256.update(data)
    return str(sha256.hexdigest())


def translated(error: Exception) -> DativoError | None:
    """What an error of the file system means."""
    if isinstance(error, PermissionError):
        return CredentialError(f"{error.strerror}: {error.filename}", remedy="let this user read the file")
    if isinstance(error, FileNotFoundError):
        return SourceChanged(f"the file {error.filename} is gone", remedy="start a new run")
    if isinstance(error, OSError):
        return SourceUnavailable(str(error), remedy="check the disk or the network share the files are on")
    return None
