"""CSV text, by the csv room's own parser."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from itertools import pairwise
from typing import Any, BinaryIO

from dativo_provider.connectors.csv.blocks import Cutter
from dativo_provider.connectors.csv.convert import typed_columns
from dativo_provider.connectors.csv.dialect import dialect_of
from dativo_provider.connectors.csv.header import read_header
from dativo_provider.connectors.csv.parse import BlockParser
from dativo_provider.connectors.csv.rows import parsed, portions, selected
from dativo_provider.connectors.csv.split import edges_of
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.connectors.csv.survey import sampled
from dativo_provider.connectors.files.formats.base import Asked, Division, Head, Span
from dativo_provider.connectors.files.formats.parts import part_of
from dativo_provider.model.batch import Batch

__all__ = ["CsvText"]


class CsvText:
    jumps = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        dialect_of(options)  # refuses what cannot be, whatever the name of the file
        self._options = options

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head:
        dialect = dialect_of(self._options, where)
        names, types = sampled(TextStream(file, dialect, where), where, dialect, infer)
        return Head(names, types)

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        """Runs of bytes, told by reading the file once: see `csv/split.py`."""
        dialect = dialect_of(self._options, asked.origin)
        text = TextStream(file, dialect, asked.origin)
        edges = edges_of(text, dialect, asked.origin, max(1, asked.size // asked.want), asked.still_wanted)
        return [Span(a.at, b.at, a.line) for a, b in pairwise(edges)]

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        """Positions are lines."""
        dialect = dialect_of(self._options, asked.origin)
        text = TextStream(file, dialect, asked.origin)
        header = read_header(text, dialect, asked.origin)
        if header is None:
            return
        types = typed_columns(asked.stream.contract.fields, header.names, asked.as_text)
        parser = BlockParser(asked.stream.name, asked.origin, header.names, types, dialect)
        read, rest, line = (part_of(file, span).read, b"", span.line) if span else (text.read, header.rest, header.line)
        cutter = Cutter(read, dialect, rest=rest, size=asked.block_bytes)
        for batch in parsed(parser, cutter, line, asked.pool, asked.threads):
            yield from portions(selected(batch, asked.stream.columns), dialect.batch_size)
