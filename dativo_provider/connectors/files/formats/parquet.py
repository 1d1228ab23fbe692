"""Parquet by runs of row groups. https://parquet.apache.org/docs/file-format/"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as t

from dativo_provider.connectors.files.formats.base import Asked, Division, Head, Span, options_of, whole
from dativo_provider.connectors.files.formats.plain import ordinals, plain_batch, plain_types
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Batch

__all__ = ["Parquet"]

_BUFFER = 1 << 20
_LARGEST_BATCH = 16 << 20
_MOST_ROWS = 1 << 20
_STEP = 2048  # rows that are decoded at once
_OPTIONS = {"batch_size": whole(0, 1 << 31)}


class Parquet:
    """Options: `batch_size`, the most rows of a batch. A span is a run of row groups."""

    jumps = True

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._rows = options_of("Parquet", options, _OPTIONS).get("batch_size", 0)

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head:
        with _opened(file, where) as opened:
            types = plain_types(opened.schema_arrow)
        return Head(tuple(types), types, typed=True)

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        with _opened(file, asked.origin) as opened:
            groups = [opened.metadata.row_group(at) for at in range(opened.num_row_groups)]
        share = sum(each.total_byte_size for each in groups) / max(1, asked.want)
        made: list[Span] = []
        begin, line, size, rows = 0, 1, 0, 0
        for at, group in enumerate(groups, 1):
            size, rows = size + group.total_byte_size, rows + group.num_rows
            if size >= share * (len(made) + 1) or at == len(groups):
                made.append(Span(begin, at, line))
                begin, line = at, 1 + rows
        return made if len(made) > 1 else []

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        """Positions are the ordinals of the rows, from 1."""
        with _opened(file, asked.origin) as opened:
            names = asked.wanted(list(plain_types(opened.schema_arrow)))
            groups = range(span.begin, span.end) if span else range(opened.num_row_groups)
            line = span.line if span else 1
            for group in groups:
                about = opened.metadata.row_group(group)
                _ahead(file, about, names)
                size, rows = min(_LARGEST_BATCH, 4 * asked.block_bytes), self._rows or _MOST_ROWS
                step = min(rows, _step(about, size, _longest(file, opened, group, names)))
                steps = opened.iter_batches(step, [group], names, use_threads=asked.threads > 1)
                for data in _gathered((plain_batch(each.select(names)) for each in steps), size, rows - step):
                    places = ordinals(line, data.num_rows)
                    line += data.num_rows
                    yield Batch(asked.stream.name, data, asked.origin, places)


def _step(group: Any, size: int, longest: int) -> int:
    """`longest`: bytes that dictionaries may put into one row."""
    width = max(1, int(group.total_byte_size) // max(1, int(group.num_rows)))
    return min(_STEP, max(256, size // width), max(16, size // max(1, longest)))


def _longest(file: BinaryIO, opened: pq.ParquetFile, group: int, names: list[str]) -> int:
    """The longest values of the dictionaries, together: they take their room once in the file, and in each row here.

    A value is no longer than its chunk, so dictionaries of small chunks are not looked at.
    """
    about = opened.metadata.row_group(group)
    chunks = [about.column(at) for at in range(about.num_columns)]
    paths = [
        each.path_in_schema for each in chunks
        if each.has_dictionary_page and each.physical_type == "BYTE_ARRAY" and each.path_in_schema in names
        and each.total_uncompressed_size * min(_STEP, about.num_rows) > _LARGEST_BATCH
    ]  # fmt: skip
    if not paths:
        return 0
    with pq.ParquetFile(file, metadata=opened.metadata, read_dictionary=paths, buffer_size=_BUFFER) as coded:
        first = next(coded.iter_batches(1, [group], paths, use_threads=False), None)
    found = [each.dictionary for each in first.columns if t.is_dictionary(each.type)] if first else []
    return sum(pc.max(pc.binary_length(each)).as_py() or 0 for each in found)


def _gathered(found: Iterable[pa.RecordBatch], size: int, rows: int) -> Iterator[pa.RecordBatch]:
    """Put together until they have `size` bytes, more than `rows`, or other types than those before."""
    held: list[pa.RecordBatch] = []
    held_rows = held_bytes = 0
    for data in found:
        if held and (held_bytes >= size or held_rows > rows or data.schema != held[0].schema):
            yield _one(held)
            held, held_rows, held_bytes = [], 0, 0
        held.append(data)
        held_rows, held_bytes = held_rows + data.num_rows, held_bytes + data.nbytes
    if held:
        yield _one(held)


def _one(held: list[pa.RecordBatch]) -> pa.RecordBatch:
    return held[0] if len(held) == 1 else pa.concat_batches(held)


def _ahead(file: Any, group: Any, names: list[str]) -> None:
    """Tells a file that is far away which of its bytes the row group takes."""
    if hasattr(file, "window"):
        chunks = [group.column(at) for at in range(group.num_columns)]
        wanted = [each for each in chunks if each.path_in_schema.partition(".")[0] in names]
        starts = [each.dictionary_page_offset or each.data_page_offset for each in wanted]
        if starts:
            file.window(
                min(starts), max(at + each.total_compressed_size for at, each in zip(starts, wanted, strict=True))
            )


@contextmanager
def _opened(file: BinaryIO, where: str) -> Generator[pq.ParquetFile, None, None]:
    """Whatever Arrow says of the file while it is open is the file's fault."""
    try:
        with pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False) as opened:
            yield opened
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException) and error.errno:
            raise  # the disk's
        raise DataError(
            f"this is no Parquet file that can be read: {_first_line(error)}", where=where,
            remedy="deliver the file again; see whether the writer had finished it",
        ) from error  # fmt: skip


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
