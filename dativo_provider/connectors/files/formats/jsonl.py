"""JSON Lines: one record to a line. https://jsonlines.org"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, BinaryIO

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.connectors.files.formats.base import Asked, Head, Span, options_of, whole
from dativo_provider.connectors.files.formats.records import (
    BAD_JSON,
    BLANK,
    DECODER,
    Lines,
    RecordParser,
    columns_of,
    head_of,
)
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Batch

__all__ = ["JsonLines"]

_SAMPLE = 1 << 20
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

    def spans(self, file: BinaryIO, where: str, want: int) -> list[Span]:
        return []

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        text, line = self._text(file, asked.origin), 1
        blocks = self._cut(text.read, asked.origin, asked.block_bytes)
        first = next(blocks, b"")
        head = self._head(first[: first.rfind(b"\n", 0, _SAMPLE) + 1] or first, infer=not asked.stream.contract.fields)
        parser = RecordParser(asked, columns_of(head, asked))
        waiting: deque[Future[Batch]] = deque()
        while first or waiting:
            if first:
                waiting.append(asked.pool.submit(parser.lines, Lines(first, line)))
                line += first.count(b"\n")
                first = next(blocks, b"")
            if not first or len(waiting) > asked.threads:
                batch = waiting.popleft().result()
                if batch.rows:
                    yield batch

    def _text(self, file: BinaryIO, where: str) -> TextStream:
        return TextStream(file, self._dialect, where)

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
