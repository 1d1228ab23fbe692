"""A block of text becomes a batch: typed at once where every value fits, else column by column and row by row.

A column whose values the typed parse cannot hold is read as text from that block on, so that no slice is read
twice. What a type accepts here the cast accepts too, with the same value; anything doubtful stays text for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.types as t

from dativo_provider.connectors.csv.blocks import Block, Miscut
from dativo_provider.connectors.csv.convert import doubtful, has_hexadecimal, read_text
from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.records import Records, count_lines, records_of
from dativo_provider.errors import DataError, InternalError
from dativo_provider.model.batch import Batch, Reject

__all__ = ["BlockParser", "text_of"]

_FAILED_COLUMN = re.compile(r"In CSV column #(\d+)")
_RAW_LIMIT = 64 << 10  # characters of a rejected record that are kept


@dataclass(frozen=True)
class _Parsed:
    """`refused` are the records that are no rows: ordinal in the text (from 0), their text, the reason."""

    data: pa.RecordBatch
    refused: Sequence[_Refusal]


class _Refusal(NamedTuple):
    at: int
    raw: str
    reason: str


class _Refused:
    """Takes note of the records that have too few or too many values."""

    def __init__(self) -> None:
        self.found: list[_Refusal] = []

    def __call__(self, row: pacsv.InvalidRow) -> str:
        reason = f"expected {row.expected_columns} columns, got {row.actual_columns}"
        self.found.append(_Refusal(row.number - 1, row.text, reason))
        return "skip"


class BlockParser:
    """Parses the blocks of one file; several threads may call it at once. Raises `Miscut`.

    Gives the rows, with lines counted from 0 at the block's first, and the number of its lines.
    """

    def __init__(
        self, stream: str, origin: str, names: Sequence[str], types: Mapping[str, pa.DataType], dialect: Dialect
    ) -> None:
        self._stream, self._origin, self._names, self._dialect = stream, origin, tuple(names), dialect
        self._types = dict(types)
        self._text: set[str] = set()

    def __call__(self, block: Block) -> tuple[Batch, int]:
        parsed = self._parse(block.text) if _decodes(block.text) else None
        lines = self._lines(block.text, parsed)
        placed = self._placed(block, parsed, lines) if parsed else None
        return placed or self._closely(block), lines

    def overlong(self, line: int) -> DataError:
        return DataError(
            f"the record that begins on line {line} is longer than {self._dialect.max_record_mb} MB",
            where=f"{self._origin}:{line}",
            remedy="close the quote that is left open there, or raise the option 'max_record_mb'",
        )

    def _parse(self, text: bytes) -> _Parsed:
        if not text:
            return _Parsed(_no_rows(self._names), [])
        while True:
            types, refused = self._wanted(text), _Refused()
            try:
                data = read_text(text, self._names, self._dialect, types, refused)
            except pa.ArrowInvalid as error:
                if not self._blame(error, types):
                    raise
                continue
            beyond = doubtful(data)
            self._text.update(beyond)
            if not beyond:
                return _Parsed(data, refused.found)

    def _wanted(self, text: bytes) -> dict[str, pa.DataType]:
        types = {name: kind for name, kind in self._types.items() if name not in self._text}
        if any(map(t.is_integer, types.values())) and has_hexadecimal(text):
            return {name: kind for name, kind in types.items() if not t.is_integer(kind)}
        return types

    def _blame(self, error: pa.ArrowInvalid, types: Mapping[str, pa.DataType]) -> bool:
        """The column whose typed parse failed becomes text. False when the error is about something else."""
        found = _FAILED_COLUMN.search(str(error))
        name = self._names[int(found[1])] if found else ""
        if name in types:
            self._text.add(name)
        return name in types

    # Lines, told by the line ends inside the values -----------------------------------------------------------

    def _lines(self, text: bytes, parsed: _Parsed | None) -> int:
        """The line ends of `text`, and its last line when that has none: as many as records where none can hold one."""
        inside = (self._dialect.quote_char, self._dialect.escape_char, "\r")
        if parsed and not any(char and char.encode() in text for char in inside):
            return int(parsed.data.num_rows) + len(parsed.refused)
        return count_lines(text) + (not text.endswith((b"\n", b"\r")))

    def _placed(self, block: Block, parsed: _Parsed, lines: int) -> Batch | None:
        """None when the lines of the records do not add up to those of the block, or its last quote is open."""
        spans = _line_counts(parsed, lines)
        if spans is None:
            return None
        if self._open_quote(block.text, spans[-1].as_py()):
            if not block.last:
                raise Miscut
            return None
        starts = pc.subtract(pc.cumulative_sum(spans), spans)
        rejects = tuple(
            Reject(self._origin, starts[each.at].as_py(), each.raw[:_RAW_LIMIT], each.reason) for each in parsed.refused
        )
        rows = _without(starts, [each.at for each in parsed.refused])
        data = parsed.data
        if len(self._names) > 1 and (filled := _filled(data, rows, block.text)) is not None:
            rows, data = rows.filter(filled), data.filter(filled)
        return Batch(self._stream, data, self._origin, rows, rejects=rejects)

    def _open_quote(self, text: bytes, lines: int) -> bool:
        """Whether the last record, which has so many lines, ends inside a quoted value."""
        last, quote = _last_lines(text, lines), self._dialect.quote_char.encode()
        return bool(quote) and quote in last and records_of(last, self._dialect).open_quote

    # Record by record: for bytes that are no text, and quotes left open ---------------------------------------

    def _closely(self, block: Block) -> Batch:
        records = records_of(block.text, self._dialect)
        broken = _undecodable(records, self._dialect.encoding)
        if records.open_quote:
            if not block.last:
                raise Miscut
            broken[len(records) - 1] = "the quote opened in this record is never closed"
        whole = [at for at in range(len(records)) if at not in broken]
        parsed = self._parse(b"\n".join([*map(records.raw, whole), b""]) if whole else b"")
        refused = {whole[each.at]: each.reason for each in parsed.refused} | broken
        rows = pa.array([at for at in whole if at not in refused], pa.int64())
        if len(rows) != parsed.data.num_rows:
            raise InternalError(f"{len(rows)} rows were found but {parsed.data.num_rows} parsed", where=self._origin)
        filled = pc.invert(records.blank().take(rows)) if len(self._names) > 1 else pa.repeat(True, len(rows))
        rejects = tuple(
            Reject(self._origin, records.lines[at].as_py(), _shown(records.raw(at)), refused[at])
            for at in sorted(refused)
        )
        positions = records.lines.take(rows).filter(filled)
        return Batch(self._stream, parsed.data.filter(filled), self._origin, positions, rejects=rejects)


def _last_lines(text: bytes, count: int) -> bytes:
    size = 1 << 12
    while True:
        lines = text[-size:].splitlines(keepends=True)
        if len(lines) > count or size >= len(text):
            return b"".join(lines[-count:])
        size *= 4


def _line_counts(parsed: _Parsed, lines: int) -> pa.Int64Array | None:
    """How many lines each record takes, refused ones included; None unless that makes `lines`."""
    data, refused = parsed.data, parsed.refused
    spans = pa.repeat(pa.scalar(1, pa.int64()), data.num_rows)
    if data.num_rows + len(refused) != lines:
        inside = [ends for column in data.columns if (ends := _line_ends(column)) is not None]
        spans = reduce(pc.add, inside, spans)
    if refused:
        counts = spans.to_pylist()
        for each in refused:
            counts.insert(each.at, 1 + count_lines(each.raw.encode()))
        spans = pa.array(counts, pa.int64())
    return spans if len(spans) and pc.sum(spans).as_py() == lines else None


def _line_ends(column: pa.Array) -> pa.Int64Array | None:
    """Line ends inside each value; None where the column has none."""
    if not t.is_string(column.type):
        return None
    octets = column.buffers()[2]
    here = memoryview(octets).tobytes() if octets else b""
    if b"\n" not in here and b"\r" not in here:
        return None
    ends = pc.count_substring(column, "\n")
    if b"\r" in here:
        ends = pc.subtract(pc.add(ends, pc.count_substring(column, "\r")), pc.count_substring(column, "\r\n"))
    return pc.fill_null(pc.cast(ends, pa.int64()), 0)


def _filled(data: pa.RecordBatch, lines: pa.Int64Array, text: bytes) -> pa.BooleanArray | None:
    """Rows that are not blank lines; None when all are. A blank line is parsed as a row without any value."""
    empty = None
    for column in data.columns:
        nothing = (
            pc.or_kleene(pc.is_null(column), pc.equal(column, "")) if t.is_string(column.type) else column.is_null()
        )
        if not pc.any(nothing).as_py():
            return None
        empty = nothing if empty is None else pc.and_(empty, nothing)
    places = pc.indices_nonzero(pc.fill_null(empty, False)).to_pylist()
    if not places:
        return None
    found = text.splitlines()
    blank = {at for at in places if not found[lines[at].as_py()]}
    return pa.array([at not in blank for at in range(data.num_rows)], pa.bool_()) if blank else None


def text_of(text: bytes, names: Sequence[str], dialect: Dialect) -> pa.RecordBatch:
    """Every value of a sample as text; records that are no rows, or not in the encoding, are left out."""
    records = records_of(text, dialect)
    broken = _undecodable(records, dialect.encoding)
    kept = b"\n".join([*(records.raw(at) for at in range(len(records)) if at not in broken), b""])
    return read_text(kept, names, dialect, {}, _Refused()) if len(kept) > 1 else _no_rows(names)


def _no_rows(names: Sequence[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], pa.schema([pa.field(name, pa.string()) for name in names]))


def _without(values: pa.Int64Array, places: Sequence[int]) -> pa.Int64Array:
    if not places:
        return values
    gone = set(places)
    return values.filter(pa.array([at not in gone for at in range(len(values))], pa.bool_()))


def _undecodable(records: Records, encoding: str) -> dict[int, str]:
    if _decodes(records.text):
        return {}
    return {at: f"not valid {encoding}" for at in range(len(records)) if not _decodes(records.raw(at))}


def _decodes(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(raw: bytes) -> str:
    return raw[:_RAW_LIMIT].decode(errors="backslashreplace")
