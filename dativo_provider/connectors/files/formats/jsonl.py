"""JSON Lines: one record to a line. https://jsonlines.org"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, BinaryIO, cast

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.connectors.files.formats.base import Asked, Division, Head, Span, options_of, whole
from dativo_provider.connectors.files.formats.parts import part_of
from dativo_provider.connectors.files.formats.records import (
    BAD_JSON,
    BLANK,
    DECODER,
    Columns,
    Lines,
    RecordParser,
    columns_of,
    head_of,
)
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Batch

__all__ = ["JsonLines"]

_SAMPLE = 1 << 20
_LINE = 64 << 10  # bytes asked for to find the end of a line
_OPTIONS = {"max_record_mb": whole(1, 1024), "batch_size": whole(0, 1 << 31), "encoding": lambda _, value: str(value)}


class JsonLines:
    """Options: `encoding`, and `max_record_mb`, the longest line (64)."""

    jumps = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = options_of("JSON Lines", options, _OPTIONS)
        self._limit = given.get("max_record_mb", 64) << 20
        self._dialect = Dialect(encoding=given.get("encoding", "utf-8"))

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head:
        text = self._text(file, where)
        return self._head(next(self._cut(text.read, where, _SAMPLE), b""), infer)

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        """Runs of bytes; a line belongs to the one it begins in. None of text that is packed or not plain UTF-8."""
        if not self._text(file, asked.origin).as_stored:
            return []
        borders = (asked.size * at // asked.want for at in range(1, asked.want))
        edges = [0, *(each for each in borders if each > len(BOM_UTF8)), asked.size]
        return [Span(begin, end, begin) for begin, end in pairwise(edges) if begin < end]

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        """Positions are lines; of a part of a file the bytes at which they begin."""
        if span is None:
            yield from self._batches(self._text(file, asked.origin).read, asked, 1)
            return
        columns = columns_of(self.head(file, asked.origin, infer=not asked.stream.contract.fields), asked)
        part = _Part(file, span)
        yield from self._batches(part.read, asked, part.at, columns)

    def _batches(
        self, read: Callable[[int], bytes], asked: Asked, place: int, columns: Columns | None = None
    ) -> Generator[Batch, None, None]:
        """`place` is the first line's number or, with `columns`, its byte."""
        blocks, by_bytes = self._cut(read, asked.origin, asked.block_bytes), columns is not None
        first = next(blocks, b"")
        parser = RecordParser(asked, columns or columns_of(self._begin(first, asked), asked))
        waiting: deque[Future[Batch]] = deque()
        while first or waiting:
            if first:
                waiting.append(asked.pool.submit(parser.lines, Lines(first, place, by_bytes)))
                place += len(first) if by_bytes else first.count(b"\n")
                first = next(blocks, b"")
            if not first or len(waiting) > asked.threads:
                batch = waiting.popleft().result()
                if batch.rows:
                    yield batch

    def _begin(self, text: bytes, asked: Asked) -> Head:
        sample = text[: text.rfind(b"\n", 0, _SAMPLE) + 1] or text
        return self._head(sample, infer=not asked.stream.contract.fields)

    def _text(self, file: BinaryIO, where: str) -> TextStream:
        return TextStream(cast("BinaryIO", _Borrowed(file)), self._dialect, where)

    def _head(self, text: bytes, infer: bool) -> Head:
        records = []
        for line in text.split(b"\n"):
            try:
                record = DECODER.decode(line) if not BLANK.issuperset(line) else None
            except BAD_JSON:  # told by who reads it
                continue
            if isinstance(record, dict):
                records.append(record)
        return head_of(records, infer)

    def _cut(self, read: Callable[[int], bytes], where: str, size: int) -> Iterator[bytes]:
        """Blocks of whole lines, none empty."""
        parts: list[bytes] = []
        length = tail = 0
        for data in iter(partial(read, size), b""):
            end = data.rfind(b"\n") + 1
            tail = len(data) - end if end else tail + len(data)
            if tail > self._limit:
                raise self._overlong(where)
            if length + end >= size and end:
                yield b"".join([*parts, data[:end]])
                parts, length = [data[end:]], tail
            else:
                parts.append(data)
                length += len(data)
        if rest := b"".join(parts):
            yield rest

    def _overlong(self, where: str) -> DataError:
        return DataError(
            f"a line is longer than {self._limit >> 20} MB", where=where,
            remedy="one record stands on each line; a file that is one document is read with options.format: json",
        )  # fmt: skip


class _Borrowed:
    """Reads through, and leaves the file open: who lent it reads on elsewhere."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read

    def close(self) -> None:
        """Not ours to close."""


class _Part:
    """The lines of a file that begin within a span. `at` is where the first does."""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        self._file, self._end, self.at = file, span.end, span.begin or _mark(file)
        self._part = part_of(file, replace(span, begin=span.begin - 1 if span.begin else self.at))
        self._head, self._last = self._skipped() if span.begin else (b"", b"\n")

    def read(self, size: int) -> bytes:
        """Some bytes, b"" only at the end."""
        data, self._head = self._head or self._part.read(size), b""
        self._last = data[-1:] or self._last
        return data or self._beyond()

    def _skipped(self) -> tuple[bytes, bytes]:
        """What was read of the first line that begins here, and the last byte: the line before may end in no part."""
        self.at -= 1
        while data := self._part.read(_LINE):
            end = data.find(b"\n") + 1
            self.at += end or len(data)
            if end:
                return data[end:], data[-1:]
        return b"", b"\n"

    def _beyond(self) -> bytes:
        """The end of a line that another part goes on with."""
        if self._last == b"\n":
            return b""
        self._file.seek(self._end)
        data = self._file.read(_LINE)
        self._end += len(data)
        if end := data.find(b"\n") + 1:
            data = data[:end]
        self._last = data[-1:] or b"\n"
        return data


def _mark(file: BinaryIO) -> int:
    """The length of the byte order mark."""
    file.seek(0)
    return len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0
