"""The names of a file's columns, and where its rows begin."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dativo_provider.connectors.csv.blocks import BLOCK_BYTES
from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.records import count_lines, first_record
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.errors import DataError

__all__ = ["Header", "read_header"]


_KINDS = {
    b"PK\x03\x04": "a ZIP archive, as Excel writes its workbooks too", b"PAR1": "Parquet", b"Obj\x01": "Avro",
    b"%PDF-": "a PDF", b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """`rest` is text already read that belongs to the rows, the first of which begins on `line`."""

    names: tuple[str, ...]
    rest: bytes
    line: int


def read_header(stream: TextStream, dialect: Dialect, where: str) -> Header | None:
    """None when the file has no record at all. Raises `DataError` for a header that cannot name columns."""
    text, start, length = _first(stream, dialect)
    if not length:
        return None
    _refuse_other_kinds(text[: start + length], where)
    line = 1 + count_lines(text[:start])
    cells = _cells(text[start : start + length], dialect, f"{where}:{line}")
    if dialect.header:
        start, line = start + length, line + count_lines(text[start : start + length])
    return Header(_names(cells, dialect, where), text[start:], line)


def _refuse_other_kinds(head: bytes, where: str) -> None:
    """Of bytes that are no text some would be read as rows all the same, and a table replaced by them."""
    kind = next((kind for mark, kind in _KINDS.items() if head.startswith(mark)), "")
    if kind or b"\0" in head:
        raise DataError(
            f"this is no CSV but {kind or 'a file of bytes that are no text'}", where=where,
            remedy="correct the path or pattern, or name the connector that reads such files (docs/connectors)",
        )  # fmt: skip


def _first(stream: TextStream, dialect: Dialect) -> tuple[bytes, int, int]:
    """Text that holds the first record whole, where it begins, and its length."""
    text, size, ended = b"", 1 << 16, False
    while True:
        more = stream.read(size)
        text, ended = text + more, not more
        start = _after_lines(text, dialect.skip_rows)
        length = first_record(text[start:], dialect, ended) if start is not None else 0
        if length or ended or len(text) > BLOCK_BYTES * 16:
            return text, start or 0, length
        size = max(size, len(text))


def _after_lines(text: bytes, count: int) -> int | None:
    """The offset after `count` lines and any blank ones that follow; None when the text ends before."""
    at = 0
    for line in text.splitlines(keepends=True):
        if count == 0 and line.strip(b"\r\n"):
            return at
        count = max(0, count - 1)
        at += len(line)
    return None


def _cells(record: bytes, dialect: Dialect, where: str) -> list[str]:
    try:
        text = record.decode()
    except UnicodeDecodeError:
        raise DataError(
            f"the header is not valid {dialect.encoding}",
            where=where,
            remedy="name the file's encoding in the option 'encoding', e.g. cp1252 or latin-1",
        ) from None
    lines = io.StringIO(text, newline="")
    delimiter, escape = dialect.delimiter, dialect.escape_char or None
    if not dialect.quote_char:
        return next(csv.reader(lines, delimiter=delimiter, escapechar=escape, quoting=csv.QUOTE_NONE))
    return next(csv.reader(lines, delimiter=delimiter, escapechar=escape, quotechar=dialect.quote_char))


def _names(cells: Sequence[str], dialect: Dialect, where: str) -> tuple[str, ...]:
    if dialect.column_names:
        if dialect.header and len(cells) != len(dialect.column_names):
            raise DataError(
                f"the file has {len(cells)} columns, the option 'column_names' names {len(dialect.column_names)}",
                where=where,
                remedy="name every column, in the file's order",
            )
        return dialect.column_names
    if not dialect.header:
        return tuple(f"column_{at}" for at in range(1, len(cells) + 1))
    names = tuple(cell.strip() or f"column_{at}" for at, cell in enumerate(cells, 1))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"the header names {', '.join(repr(name) for name in twice)} more than once",
            where=where,
            remedy="rename the columns in the file, or give the option 'column_names' a name for each",
        )
    return names
