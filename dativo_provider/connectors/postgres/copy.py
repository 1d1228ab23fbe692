"""COPY … TO STDOUT as CSV: a thread gathers blocks of whole records, the caller parses them meanwhile.

libpq waits outside the GIL in the one thread, Arrow parses outside it in the other. The server sends one message per
row, and each is one `write` here, so a block ends where a record ends.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from dativo_provider.connectors.postgres.session import Session
from dativo_provider.errors import DataError, InternalError, SourceUnavailable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Copy"]

BLOCK = 8 << 20
LARGEST = 1 << 30  # of one record


class Copy:
    """One COPY on a session whose transaction has begun. Use as a context; it leaves no thread behind.

    A backend that dies ends the stream as its last row does, so the end counts only when the producer is well and the
    server's own row count is the caller's.
    """

    def __init__(self, session: Session, select: str, block: int) -> None:
        self.session, self._block = session, min(block, BLOCK)
        self._statement = f"copy ({select}) to stdout (format csv)"
        self._rows: int | None = None
        self._error: BaseException | None = None
        self._gathered = _Blocks()
        self._thread = threading.Thread(target=self._produce, name="dativo-copy", daemon=True)

    def __enter__(self) -> Copy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gathered.stop()
        if self._thread.is_alive():
            self.session.cancel()
            self._thread.join(3)
        if self._thread.is_alive():
            self.session.shut()
        self._thread.join()

    def _produce(self) -> None:
        try:
            rows = io.BufferedWriter(self._gathered, self._block)
            with self.session.connection.cursor() as cursor:
                cursor.copy_expert(self._statement, rows)
                rows.flush()
                self._rows = cursor.rowcount
        except BaseException as error:
            self._error = error
        finally:
            self._gathered.end()

    def blocks(self) -> Iterator[pa.Buffer]:
        """Raises what ended the COPY too early."""
        yield from self._gathered
        self._thread.join()
        if self._error is not None:
            raise self._error

    def check(self, rows: int) -> None:
        """Raises unless the server sent exactly `rows`."""
        if rows != self._rows:
            raise SourceUnavailable(
                f"the source sent {self._rows} rows, of which {rows} arrived", remedy="repeat the run"
            )


class _Blocks(io.RawIOBase):
    """What a `BufferedWriter` flushes, one block waiting at most. Iterate in another thread.

    Blocks are Arrow's own memory: its threads may let go of the text after the parse has returned; if it were Python's,
    the one that does so while the interpreter ends would abort the process.
    https://github.com/apache/arrow/issues/34314
    """

    def __init__(self) -> None:
        super().__init__()
        self._queue: Queue[pa.Buffer | None] = Queue(1)
        self._stopped = threading.Event()

    def writable(self) -> bool:
        return True

    def write(self, rows: Any) -> int:
        """Waits for room. What comes after `stop` is dropped."""
        import pyarrow as pa

        size = len(rows)
        _refuse_broken(rows, size)
        block = pa.allocate_buffer(size)
        memoryview(block).cast("B")[:] = rows
        self._put(block)
        return size

    def end(self) -> None:
        self._put(None)

    def stop(self) -> None:
        """The reader wants no more."""
        self._stopped.set()
        with contextlib.suppress(Empty):
            self._queue.get_nowait()

    def _put(self, block: pa.Buffer | None) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(block, timeout=0.1)
            except Full:
                continue
            return

    def __iter__(self) -> Iterator[pa.Buffer]:  # type: ignore[override]
        while (block := self._queue.get()) is not None:
            yield block


def _refuse_broken(rows: Any, size: int) -> None:
    if size > LARGEST:
        raise DataError(
            f"a row is larger than {LARGEST >> 20} MB",
            remedy="leave out its largest column with `columns`, or cut it in `query`",
        )
    if rows[size - 1] != ord("\n"):
        raise InternalError("the source sent a row in pieces, which PostgreSQL's protocol rules out")
