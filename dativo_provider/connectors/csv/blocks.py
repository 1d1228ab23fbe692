"""Cuts a file's text into blocks of whole records, so that memory stays bounded whatever the file's size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.records import border, count_lines, likely_border
from dativo_provider.errors import DataError

__all__ = ["BLOCK_BYTES", "Block", "Border", "Cutter", "Miscut"]

BLOCK_BYTES = 4 << 20
Border = Callable[[bytes, Dialect], int]


@dataclass(frozen=True)
class Block:
    """Whole records; the first begins on `line` (from 1) of the file. `lines` counts its line ends, and the
    last line when that has none. Only the last block of a file may end inside a quoted value."""

    text: bytes
    line: int
    lines: int
    last: bool


class Miscut(Exception):
    """A block that is not the file's last ends inside a quoted value: it was cut at a line end within it."""


class Cutter:
    """Iterate for the blocks of what `read` gives after `rest`, which begins on `line`.

    A block is about `size` bytes; 0 stands for `BLOCK_BYTES`, which is also the most.

    It cuts where the number of quotes so far is even, which costs little and is wrong only where a quote stands
    inside an unquoted value. Whoever parses a block finds that out; `recut` then goes back and looks closely.
    Raises `DataError` when one record exceeds `max_record_mb`.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        dialect: Dialect,
        where: str,
        *,
        rest: bytes = b"",
        line: int = 1,
        size: int = 0,
        border: Border = likely_border,
    ) -> None:
        self._read, self._dialect, self._where = read, dialect, where
        self._rest, self._line = rest, line
        self._size, self._border = min(size or BLOCK_BYTES, BLOCK_BYTES), border

    def __iter__(self) -> Iterator[Block]:
        size = self._size
        while True:
            more = b"" if len(self._rest) >= size else self._read(max(size - len(self._rest), self._size // 4))
            ended = not more and len(self._rest) < size
            text = self._rest + more
            if ended:
                self._rest = b""
                if text:
                    yield Block(text, self._line, count_lines(text) + (not text.endswith((b"\n", b"\r"))), True)
                return
            cut = self._border(text, self._dialect) if len(text) >= size else 0
            if cut:
                yield self._cut(text, cut)
                size = self._size
            else:
                self._rest = text
                size = self._larger(len(text)) if len(text) >= size else size

    def recut(self, blocks: Sequence[Block]) -> None:
        """Put back `blocks`, the last ones given, and cut them again at certain borders."""
        self._rest = b"".join([*(block.text for block in blocks), self._rest])
        self._line, self._border = blocks[0].line, border

    def _cut(self, text: bytes, at: int) -> Block:
        block = Block(text[:at], self._line, count_lines(text[:at]), False)
        self._line, self._rest = self._line + block.lines, text[at:]
        return block

    def _larger(self, length: int) -> int:
        if length > self._dialect.max_record_mb << 20:
            raise DataError(
                f"the record that begins on line {self._line} is longer than {self._dialect.max_record_mb} MB",
                where=f"{self._where}:{self._line}",
                remedy="close the quote that is left open there, or raise the option 'max_record_mb'",
            )
        return 2 * length
