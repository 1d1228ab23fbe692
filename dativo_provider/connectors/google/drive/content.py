"""The bytes of a file, as they come; a body that breaks off goes on where it ended, and the checksum tells the rest.

https://developers.google.com/workspace/drive/api/guides/manage-downloads
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.files.place import changed
from dativo_provider.connectors.rest.client import Body
from dativo_provider.errors import RetryableError

__all__ = ["Remote", "RemoteFile"]

Begin = Callable[[int], AbstractContextManager[Body]]  # the body from so many bytes on
_STEP = 1 << 20
_PATIENCE = 5  # times that a body may break off without bringing anything
_LONGEST = 60  # seconds that are waited for here; what takes longer is the run's to try again


class Remote(io.RawIOBase):
    """Reads in order. `begin` may be called again, `retry` waits before that. `md5` is of what was read.

    A body that breaks off behind its last byte, the one at `size`, has ended: there is no range to ask for.
    """

    def __init__(self, begin: Begin, retry: Callable[[RetryableError, int], None], size: int) -> None:
        self._begin, self._retry, self._size = begin, retry, size
        self.at, self._left, self._idle = 0, b"", 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._open = ExitStack()
        self._parts: Iterator[bytes] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._left or self._next()
        take, self._left = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(take)] = take
        return len(take)

    def close(self) -> None:
        self._open.close()
        super().close()

    def _next(self) -> bytes:
        while True:
            try:
                with self._told():
                    part = next(self._begun(), b"")
            except RetryableError as error:
                self._broken(error)
                continue
            self._idle = 0 if part else self._idle
            self.at += len(part)
            self.md5.update(part)
            return part

    def _begun(self) -> Iterator[bytes]:
        if self._parts is None and self.at and self.at >= self._size:
            self._parts = iter(())
        if self._parts is None:
            body = self._open.enter_context(self._begin(self.at))
            ranged = "content-range" in body.headers or not self.at
            self._parts = body.parts if ranged else _behind(body.parts, self.at)
        return self._parts

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What is raised inside passes through the conversation, which knows what it means."""
        try:
            yield
        except RetryableError:
            raise
        except Exception as error:
            if not self._open.__exit__(type(error), error, error.__traceback__):
                raise

    def _broken(self, error: RetryableError) -> None:
        self._open.close()
        self._open, self._parts = ExitStack(), None
        self._idle += 1
        if self._idle > _PATIENCE or (error.retry_after or 0) > _LONGEST:
            raise error
        self._retry(error, self._idle)


def _behind(parts: Iterator[bytes], at: int) -> Iterator[bytes]:
    """What follows the first `at` bytes: not every server keeps to a range."""
    for part in parts:
        if len(part) > at:
            yield part[at:]
        at = max(0, at - len(part))


class _Kept(io.BufferedReader):
    """Who parses a file closes it; what stands behind its last record still counts for the checksum."""

    def close(self) -> None:
        """Its `RemoteFile` does."""


class RemoteFile:
    """A context whose `file` is the planned one. Raises `SourceChanged` in `finish` when its bytes are others."""

    def __init__(self, remote: Remote, planned: Found) -> None:
        self._remote, self._planned = remote, planned
        self.file = cast("BinaryIO", _Kept(remote, _STEP))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._remote.close()

    def finish(self, whole: bool) -> dict[str, Any]:
        while self.file.read(_STEP):
            pass
        if self._planned.version and self._remote.md5.hexdigest() != self._planned.version:
            raise changed(self._planned.path)
        return {}
