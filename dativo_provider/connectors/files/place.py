"""Where files are: what every place can do, and local folders as one."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from dativo_provider.connectors.csv.files import Hashed, sha256_of, sha256_of_rest
from dativo_provider.connectors.csv.paths import Found, Roots
from dativo_provider.errors import SourceChanged

__all__ = ["Handle", "LocalPlace", "Place", "changed"]


class Handle(Protocol):
    """A context in which `file` is the bytes of the planned file, in order or, opened with `jumps`, in any.

    Reading raises `SourceChanged` once the file is another than was planned, at the latest in `finish`.
    """

    file: BinaryIO

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None: ...

    def finish(self, whole: bool) -> dict[str, Any]:
        """What else is known of the file, for state; one of the parts of a file is asked for the `whole`."""


class Place(Protocol):
    def check(self) -> None:
        """Raises what keeps the place from being listed."""

    def find(self, wanted: str) -> list[Found]:
        """The files of `wanted`, comma-separated paths, folders or patterns, by name, each once."""

    def spelled(self, wanted: str) -> list[str]:
        """The patterns of `wanted`, as the paths of its files are spelled."""

    def expect(self, files: Iterable[Found]) -> None:
        """These will be opened next."""

    def open(self, file: Found, jumps: bool) -> Handle: ...

    def same(self, file: Found, before: Mapping[str, Any]) -> bool:
        """Whether a file of another time or version, but of the same size, holds the bytes recorded `before`."""

    def close(self) -> None: ...


def changed(path: str, what: str = "changed") -> SourceChanged:
    return SourceChanged(
        f"the file {what} after this run was planned",
        where=path,
        remedy="start a new run, which reads it whole; deliver files under another name and rename them when whole",
    )


class LocalPlace:
    """Folders below the roots of a job."""

    def __init__(self, roots: Roots, still_wanted: Callable[[], None]) -> None:
        self._roots, self._still_wanted = roots, still_wanted

    def check(self) -> None:
        self._roots.check()

    def find(self, wanted: str) -> list[Found]:
        return self._roots.find(wanted)

    def spelled(self, wanted: str) -> list[str]:
        return self._roots.spelled(wanted)

    def expect(self, files: Iterable[Found]) -> None:
        """The system reads ahead by itself."""

    def open(self, file: Found, jumps: bool) -> Handle:
        return _LocalFile(self._roots.locate(file.path), file, self._still_wanted, jumps)

    def same(self, file: Found, before: Mapping[str, Any]) -> bool:
        known = before.get("sha256")
        return bool(known) and known == sha256_of(self._roots.locate(file.path), self._still_wanted)

    def close(self) -> None:
        """Holds nothing."""


class _LocalFile:
    """Who reads `file` may close it. What is said of it in the end is of the same descriptor, whatever has its name."""

    def __init__(self, real: Path, planned: Found, still_wanted: Callable[[], None], jumps: bool) -> None:
        self._real, self._planned, self._still_wanted, self._jumps = real, planned, still_wanted, jumps

    def __enter__(self) -> Self:
        try:
            self._own = io.FileIO(self._real)
        except FileNotFoundError:
            raise changed(self._planned.path, "was removed") from None
        try:
            self._require_planned()
            self._read = Hashed(os.dup(self._own.fileno()), hashes=not self._jumps)
            self.file: BinaryIO = io.BufferedReader(self._read, 1 << 20)
        except BaseException:
            self._own.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.file.close()
        self._own.close()

    def finish(self, whole: bool) -> dict[str, Any]:
        if self._jumps:
            self._own.seek(0)  # else both descriptors stand where reading stopped
        facts = {"sha256": sha256_of_rest(self._own, self._still_wanted, self._read.sha256)} if whole else {}
        self._require_planned()
        return facts

    def _require_planned(self) -> None:
        facts = os.fstat(self._own.fileno())
        if (facts.st_size, facts.st_mtime_ns) != (self._planned.size, self._planned.mtime_ns):
            raise changed(self._planned.path)
