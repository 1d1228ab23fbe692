"""COPY … TO STDOUT as CSV: a thread fills a pipe, the caller takes blocks of whole records from it.

libpq waits outside the GIL in the one thread, Arrow parses outside it in the other, and the pipe is the only
buffer between them. https://www.postgresql.org/docs/current/sql-copy.html
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator

from dativo_provider.connectors.postgres.session import Session
from dativo_provider.errors import DataError, SourceUnavailable

__all__ = ["Copy"]

PIPE = 1 << 20
_F_SETPIPE_SZ = 1031  # Linux only; elsewhere the pipe keeps its size
BLOCK = 8 << 20
LARGEST = 1 << 30  # of one record


class Copy:
    """One COPY on a session whose transaction has begun. Use as a context; it leaves no thread behind.

    A backend that dies looks like the end of the data on the pipe, so the end counts only when the producer is
    well and the server's own row count is the caller's.
    """

    def __init__(self, session: Session, select: str, block: int) -> None:
        self.session, self._block = session, min(block, BLOCK)
        self._statement = f"copy ({select}) to stdout (format csv)"
        self._rows: int | None = None
        self._error: BaseException | None = None
        self._reading, self._writing = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._writing, _F_SETPIPE_SZ, PIPE)
        self._thread = threading.Thread(target=self._produce, name="dativo-copy", daemon=True)

    def __enter__(self) -> Copy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reading)  # what the producer still writes fails
        if self._thread.is_alive():
            self.session.cancel()
            self._thread.join(3)
        if self._thread.is_alive():
            self.session.shut()
        self._thread.join()

    def _produce(self) -> None:
        try:
            with os.fdopen(self._writing, "wb", buffering=PIPE) as pipe, self.session.connection.cursor() as cursor:
                cursor.copy_expert(self._statement, pipe)
                pipe.flush()
                self._rows = cursor.rowcount
        except BaseException as error:
            self._error = error

    def blocks(self) -> Iterator[memoryview]:
        """Each block is valid until the next is asked for. Raises what ended the COPY too early."""
        buffer, filled = bytearray(self._block), 0
        while size := os.readv(self._reading, [memoryview(buffer)[filled:]]):
            filled += size
            if filled < len(buffer):
                continue
            cut = end_of_records(buffer, filled)
            if not cut:
                buffer = _grown(buffer)
                continue
            yield memoryview(buffer)[:cut]
            rest = buffer[cut:filled]
            buffer, filled = (buffer if len(buffer) == self._block else bytearray(self._block)), len(rest)
            if filled > len(buffer):
                buffer = bytearray(2 * filled)
            buffer[:filled] = rest
        self._finish()
        if filled:
            yield memoryview(buffer)[:filled]

    def _finish(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error

    def check(self, rows: int) -> None:
        """Raises unless the server sent exactly `rows`."""
        if rows != self._rows:
            raise SourceUnavailable(
                f"the source sent {self._rows} rows, of which {rows} arrived", remedy="repeat the run"
            )


def end_of_records(buffer: bytearray, filled: int) -> int:
    """Where the last whole record ends, 0 when there is none.

    COPY writes a quote only around values and doubles those inside, so a newline ends a record exactly when
    the number of quotes before it is even.
    """
    odd, end = buffer.count(b'"', 0, filled) & 1, filled
    while (newline := buffer.rfind(b"\n", 0, end)) >= 0:
        odd ^= buffer.count(b'"', newline, end) & 1
        if not odd:
            return newline + 1
        end = newline
    return 0


def _grown(buffer: bytearray) -> bytearray:
    if len(buffer) >= LARGEST:
        raise DataError(
            f"a row is larger than {LARGEST >> 20} MB",
            remedy="leave out its largest column with `columns`, or cut it in `query`",
        )
    return buffer + bytes(len(buffer))
