"""An object as a file: its bytes in order, fetched ahead in ranges, or any of them as they are asked for."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning

__all__ = ["Ahead", "Anywhere", "Fetch"]

Fetch = Callable[[int, int], bytes]  # at, size: exactly that many bytes, or an error
_DEPTH = 2
_PATIENCE = 0.2  # seconds between looks whether the run was cancelled


class Ahead(io.RawIOBase):
    """Two ranges of `step` bytes are on their way, besides the one that is read."""

    def __init__(
        self,
        fetch: Fetch,
        size: int,
        pool: ThreadPoolExecutor,
        still_wanted: Callable[[], None],
        step: int,
    ) -> None:
        self._fetch, self._size, self._pool, self._still_wanted = fetch, size, pool, still_wanted
        self._step = step
        self._asked, self._chunk, self._at = 0, b"", 0
        self._waiting: deque[Future[bytes]] = deque()
        self._ask()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Some bytes, b"" only at the end; all that is left for a negative `size`."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(self._step), b""))
        if self._at >= len(self._chunk) and not self._next():
            return b""
        data = self._chunk[self._at : self._at + size] if size < len(self._chunk) or self._at else self._chunk
        self._at += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        for each in self._waiting:
            each.cancel()
        self._waiting.clear()
        super().close()

    def _next(self) -> bool:
        if not self._waiting:
            return False
        self._chunk, self._at = waited(self._waiting.popleft(), self._still_wanted), 0
        self._ask()
        return True

    def _ask(self) -> None:
        while self._asked < self._size and len(self._waiting) < _DEPTH:
            size = min(self._step, self._size - self._asked)
            self._waiting.append(self._pool.submit(self._fetch, self._asked, size))
            self._asked += size


class Anywhere(io.RawIOBase):
    """Each read is a request, but for what lies in the `window` that was fetched before."""

    def __init__(
        self, fetch: Fetch, size: int, pool: ThreadPoolExecutor, still_wanted: Callable[[], None], step: int, most: int
    ) -> None:
        self._fetch, self._size, self._pool, self._still_wanted = fetch, size, pool, still_wanted
        self._step, self._most = step, most
        self._at, self._begin, self._held = 0, 0, memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._at)
        size = left if size is None or size < 0 else min(size, left)
        data = self._bytes(self._at, size) if size else b""
        self._at += len(data)
        return data

    def part(self, begin: int, end: int) -> Ahead:
        """[begin, end) in order."""

        def fetch(at: int, size: int) -> bytes:
            return self._fetch(begin + at, size)

        return Ahead(fetch, end - begin, self._pool, self._still_wanted, self._step)

    def window(self, begin: int, end: int) -> None:
        """[begin, end) is what will be read next: fetched at once, by several requests, unless it is too long."""
        self._begin, self._held = begin, memoryview(b"")
        if end - begin <= self._most:
            starts = range(begin, end, self._step)
            asked = deque(self._pool.submit(self._fetch, at, min(self._step, end - at)) for at in starts)
            held = bytearray()
            while asked:  # each is let go of as soon as it is taken over
                held += waited(asked.popleft(), self._still_wanted)
            self._held = memoryview(held)

    def _bytes(self, at: int, size: int) -> bytes:
        if self._begin <= at and at + size <= self._begin + len(self._held):
            return bytes(self._held[at - self._begin : at - self._begin + size])
        self._still_wanted()
        return self._fetch(at, size)


def waited(asked: Future[bytes], still_wanted: Callable[[], None]) -> bytes:
    """`still_wanted` is called now and then, and may raise."""
    while True:
        still_wanted()
        try:
            return asked.result(timeout=_PATIENCE)
        except StillRunning:
            if asked.done():
                raise
