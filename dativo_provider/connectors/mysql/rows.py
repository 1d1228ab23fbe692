"""The rows of one SELECT as blocks of the protocol's own bytes, with the place of each row.

PyMySQL logs in and reads the names of the columns; from there on we read its socket, because it would make a Python
object of every value. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.connectors.mysql.driver import pymysql_module
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.errors import DataError, SourceUnavailable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Block", "Rows"]

LARGEST = 1 << 30  # of one row
_CHUNK = 1 << 18
_FULL = 0xFFFFFF  # a packet of this size goes on in the next one
_END, _ERROR = 0xFE, 0xFF


@dataclass(frozen=True)
class Block:
    """`bytes` hold rows; row `i` is `bytes[starts[i]:ends[i]]`."""

    bytes: pa.Buffer
    starts: list[int]
    ends: list[int]


class Rows:
    """Use as a context on a session whose transaction has begun. The end of rows is the server's own word: a socket
    that closes before it raises `SourceUnavailable`."""

    def __init__(self, session: Session, select: str, block: int, most_rows: int = 0) -> None:
        self._session, self._select, self._size = session, select, block
        self._most = most_rows or 1 << 62
        self._buffer = bytearray(block + _CHUNK)
        self._filled = self._read_to = 0  # of the buffer: bytes that are there, and those cut into rows
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._part = 0  # where a row of several packets begins, + 1
        self._sequence = 0
        self._done = False

    def __enter__(self) -> Rows:
        from pymysql.connections import MySQLResult
        from pymysql.constants.COMMAND import COM_QUERY

        connection = self._session.connection
        connection._execute_command(COM_QUERY, self._select)
        answer: Any = MySQLResult(connection)
        self._session.spoilt()  # until the end has been read
        answer.init_unbuffered_query()
        answer.unbuffered_active, answer.connection = False, None  # the rows are ours
        self._sequence, self._socket = connection._next_seq_id, connection._rfile.raw
        self._take(connection._rfile.peek())  # waits for something where nothing has come yet
        connection._rfile.read(self._filled)
        self._find_rows()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._done:
            self._session.shut()

    def blocks(self) -> Iterator[Block]:
        while self._starts or not self._done:
            self._gather()
            if self._starts:
                yield self._cut_off()

    def _gather(self) -> None:
        while not self._done and not self._enough():
            self._receive()
            self._find_rows()

    def _enough(self) -> bool:
        return bool(self._starts) and (self._read_to >= self._size or len(self._starts) >= self._most)

    def _take(self, got: bytes) -> None:
        if not got:
            raise self._lost("it closed the connection")
        self._buffer[: len(got)] = got
        self._filled = len(got)

    def _receive(self) -> None:
        if len(self._buffer) - self._filled < _CHUNK:
            if self._filled > LARGEST:
                raise DataError(
                    f"a row is larger than {LARGEST >> 20} MB",
                    remedy="leave out its largest column with `columns`, or cut it in `query`",
                )
            self._buffer.extend(bytes(len(self._buffer)))
        try:
            got = self._socket.readinto(memoryview(self._buffer)[self._filled :])
        except (OSError, ValueError) as error:
            raise self._lost(type(error).__name__) from error
        if not got:
            raise self._lost("it closed the connection")
        self._filled += got

    def _find_rows(self) -> None:
        """Packets that are whole: four bytes of length and number before each."""
        view, at, filled = self._buffer, self._read_to, self._filled
        starts, ends, sequence = self._starts, self._ends, self._sequence
        while at + 4 <= filled:
            head = int.from_bytes(view[at : at + 4], "little")
            size, start = head & _FULL, at + 4
            end = start + size
            if end > filled:
                break
            if head >> 24 != sequence:
                raise self._lost("its packets are out of order")
            sequence = (sequence + 1) & 0xFF
            if size == _FULL or self._part:
                at, filled = self._join(at, start, end, size)
                continue
            if view[start] >= _END and self._is_last(start, end):
                at = end
                break
            starts.append(start)
            ends.append(end)
            at = end
        self._read_to, self._sequence = at, sequence

    def _join(self, at: int, start: int, end: int, size: int) -> tuple[int, int]:
        """A row of several packets: its parts are pushed together, over the heads between them."""
        if not self._part:
            self._part = start + 1
            self._read_to = end
            return end, self._filled
        rest = bytes(memoryview(self._buffer)[start : self._filled])
        self._buffer[at : at + len(rest)] = rest
        self._filled -= 4
        if size < _FULL:
            self._starts.append(self._part - 1)
            self._ends.append(at + size)
            self._part = 0
        return at + size, self._filled

    def _is_last(self, start: int, end: int) -> bool:
        """Whether the packet ends the rows. Raises the server's error."""
        if self._buffer[start] == _ERROR:
            self._done = True
            pymysql_module().err.raise_mysql_exception(bytes(self._buffer[start:end]))
        if end - start >= 9:
            return False  # a row whose first value takes eight bytes to say its length
        self._done = True
        self._session.whole(self._sequence)
        return True

    def _cut_off(self) -> Block:
        """What was gathered, in memory of its own; the beginning of the next row stays."""
        import pyarrow as pa

        end = self._ends[-1]
        block = Block(pa.py_buffer(bytes(memoryview(self._buffer)[:end])), self._starts, self._ends)
        rest = bytes(memoryview(self._buffer)[end : self._filled])
        self._buffer[: len(rest)] = rest
        self._filled, self._read_to = len(rest), self._read_to - end
        self._part = max(0, self._part - end)
        self._starts, self._ends = [], []
        return block

    def _lost(self, why: str) -> SourceUnavailable:
        return SourceUnavailable(
            f"the server did not send the rows to their end: {why}",
            remedy="repeat the run; look into the server's log, and at its net_write_timeout and max_statement_time",
        )
