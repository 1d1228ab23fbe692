"""Cuts a file's text into blocks of whole records, so that memory stays bounded whatever the file's size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.records import border, likely_border

__all__ = ["BLOCK_BYTES", "Block", "Border", "Cutter", "Miscut"]

BLOCK_BYTES = 4 << 20
Border = Callable[[bytes, Dialect], int]


@dataclass(frozen=True)
class Block:
    """Whole records. Only the last block of a file may end inside a quoted value."""

    text: bytes
    last: bool


class Miscut(Exception):
    """A block that is not the file's last ends inside a quoted value: it was cut at a line end within it."""


class Cutter:
    """Iterate for the blocks of what `read` gives after `rest`.

    A block is about `size` bytes; 0 stands for `BLOCK_BYTES`, which is also the most.

    It cuts where the number of quotes so far is even, which costs little and is wrong only where a quote stands
    inside an unquoted value. Whoever parses a block finds that out; `recut` then goes back and looks closely.
    It ends early, and `overlong` is set, before a record that is longer than `max_record_mb`.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        dialect: Dialect,
        *,
        rest: bytes = b"",
        size: int = 0,
        border: Border = likely_border,
    ) -> None:
        self._read, self._dialect, self._rest = read, dialect, rest
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
                    yield Block(text, True)
                return
            cut = self._border(text, self._dialect) if len(text) >= size else 0
            if cut:
                self._rest = text[cut:]
                yield Block(text[:cut], False)
                size = self._size
            else:
                self._rest = text
                if self.overlong:
                    return
                size = 2 * len(text) if len(text) >= size else size

    def recut(self, blocks: Sequence[Block]) -> None:
        """Put back `blocks`, the last ones given, and cut them again at certain borders."""
        self._rest = b"".join([*(block.text for block in blocks), self._rest])
        self._border = border

    @property
    def overlong(self) -> bool:
        return len(self._rest) > self._dialect.max_record_mb << 20
