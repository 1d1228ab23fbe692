"""One big file in parts that several tasks read.

Where a record begins can be told for certain only by who has seen every quote before it, so `plan` reads the file
once; it is many times faster than parsing it. A file is left whole where that does not do: packed, in an encoding
that is not its bytes, or with quotes inside unquoted values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from dativo_provider.connectors.csv.blocks import Block, Cutter
from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.files import CsvFile
from dativo_provider.connectors.csv.header import read_header
from dativo_provider.connectors.csv.part import Part
from dativo_provider.connectors.csv.records import count_lines, likely_border, plainly_quoted
from dativo_provider.connectors.csv.streams import TextStream, with_head
from dativo_provider.errors import DataError

__all__ = ["Edge", "edges_of", "split"]


class Edge(NamedTuple):
    """A record begins at byte `at` and on `line`; `sha256` is the hash of the bytes since the edge before,
    where `text` hashes at all."""

    at: int
    line: int
    sha256: str = ""


class _Uncertain(Exception):
    """Counting quotes does not tell where records end."""


def split(opened: CsvFile, dialect: Dialect, where: str, want: int, still_wanted: Callable[[], None]) -> list[Part]:
    """At most `want` parts of about equal size; none where the file cannot be split.

    `still_wanted` is called now and then, and may raise.
    """
    with opened:
        edges = edges_of(opened.text, dialect, where, max(1, opened.size // want), still_wanted)
        facts = opened.finish(0) if edges else {}
    return [Part(a.at, b.at, a.line, b.sha256, facts["sha256"]) for a, b in pairwise(edges)]


def edges_of(text: TextStream, dialect: Dialect, where: str, step: int, still_wanted: Callable[[], None]) -> list[Edge]:
    """Where records begin, about `step` bytes apart, and the end of `text`, which is read to it.

    None where that cannot be told for certain.
    """
    if not text.as_stored:
        return []
    try:
        header = read_header(text, dialect, where)
        if header is None:
            return []
        cutter = Cutter(with_head(header.rest, text.read), dialect, border=_certain)
        edges = list(_edges(cutter, header.line, step, still_wanted, text.hashed))
    except (_Uncertain, DataError):  # what is wrong with the file is told by who reads it
        return []
    if cutter.overlong:
        return []
    first = text.size - edges[-1].at
    return [edge._replace(at=first + edge.at) for edge in edges]


def _certain(text: bytes, dialect: Dialect) -> int:
    if not plainly_quoted(text, dialect):
        raise _Uncertain
    return likely_border(text, dialect)


def _edges(
    blocks: Iterable[Block], line: int, step: int, still_wanted: Callable[[], None], hashed: bool
) -> Iterator[Edge]:
    """Bytes count from the first row."""
    at, emitted, due, sha256 = 0, 0, step, hashlib.sha256()
    yield Edge(0, line)
    for block in blocks:
        still_wanted()
        if hashed:
            sha256.update(block.text)
        at, line = at + len(block.text), line + count_lines(block.text)
        if at >= due and not block.last:
            yield Edge(at, line, sha256.hexdigest())
            emitted, sha256 = at, hashlib.sha256()
            due = at - at % step + step
    if at > emitted:
        yield Edge(at, line, sha256.hexdigest())
