"""Where records begin and end in a block of CSV text, and on which line.

Two ways to the same answer: with Arrow over the whole block at once where every quote stands at the border of its
field, and with a compiled grammar, record by record, for the rest (stray quotes, escapes, lone carriage returns).
The grammar is that of `pyarrow.csv`, which is also that of Python's `csv`: a quote opens a field only as its first
character, `""` inside is one quote, and after the closing quote the rest of the field is plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.connectors.csv.dialect import Dialect

__all__ = ["Records", "border", "count_lines", "first_record", "likely_border", "plainly_quoted", "records_of"]

_CR, _LF = 13, 10


@dataclass(frozen=True)
class Records:
    """Record i is `text[starts[i]:starts[i + 1]]`, its line end included, and begins `lines[i]` lines into the block.

    `open_quote`: the last record ends inside a quoted value.
    """

    text: bytes
    starts: pa.Int64Array
    lines: pa.Int64Array
    open_quote: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, index: int) -> bytes:
        start = self.starts[index].as_py()
        end = self.starts[index + 1].as_py() if index + 1 < len(self.starts) else len(self.text)
        return without_end(self.text[start:end])

    def blank(self) -> pa.BooleanArray:
        """Records that are an empty line."""
        first = _octets(self.text).take(self.starts)
        return pc.or_(pc.equal(first, _CR), pc.equal(first, _LF))


def without_end(record: bytes) -> bytes:
    """`record` without its one line end."""
    if record.endswith(b"\r\n"):
        return record[:-2]
    return record[:-1] if record.endswith((b"\n", b"\r")) else record


def count_lines(text: bytes) -> int:
    """Line ends: LF, CRLF and lone CR alike."""
    ends = text.count(b"\n")
    return ends + text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else ends


def records_of(text: bytes, dialect: Dialect) -> Records:
    """`text` begins with a record."""
    found = _at_once(text, dialect) if _plain_ends(text) else None
    return found or _one_by_one(text, dialect)


def border(text: bytes, dialect: Dialect) -> int:
    """The length of the longest prefix of whole records, each with its line end; 0 when there is none."""
    return likely_border(text, dialect) if plainly_quoted(text, dialect) else _last_whole(text, dialect)


def plainly_quoted(text: bytes, dialect: Dialect) -> bool:
    """Whether counting quotes tells for certain where the records of `text`, which begins with one, end."""
    return not _special(text, dialect) or _quotes(text, dialect) is not None


def likely_border(text: bytes, dialect: Dialect) -> int:
    """The same, found by counting quotes: it is wrong where one stands inside an unquoted value."""
    if dialect.escape_char and dialect.escape_char.encode() in text:
        return _last_whole(text, dialect)
    end, quote = _last_end(text, len(text)), dialect.quote_char.encode()
    if not quote or quote not in text:  # looking is ten times as fast as counting
        return end
    count = text.count(quote, 0, end)
    while count % 2:
        before = _last_end(text, text.rfind(quote, 0, end))
        count -= text.count(quote, before, end)
        end = before
    return end


def _special(text: bytes, dialect: Dialect) -> bool:
    return any(char and char.encode() in text for char in (dialect.quote_char, dialect.escape_char))


def _last_end(text: bytes, limit: int) -> int:
    """The end of the last line before `limit`. A CR that ends the text may be half of a CRLF and does not count."""
    end = text.rfind(b"\n", 0, limit) + 1
    if end or b"\n" in text:
        return end
    return text.rfind(b"\r", 0, min(limit, len(text) - 1)) + 1


# All at once ---------------------------------------------------------------------------------------------------


def _octets(text: bytes) -> pa.UInt8Array:
    return pa.Array.from_buffers(pa.uint8(), len(text), [None, pa.py_buffer(text)])


def _quotes(text: bytes, dialect: Dialect) -> pa.UInt64Array | None:
    """Where the quotes are, when each second one closes what the one before it opened; else None.

    That is so when every opening one is the first character of its field (or the second half of a doubled one).
    """
    if dialect.escape_char and dialect.escape_char.encode() in text:
        return None
    if not dialect.quote_char or dialect.quote_char.encode() not in text:
        return pa.array([], pa.uint64())
    octets = _octets(text)
    found = pc.indices_nonzero(pc.equal(octets, ord(dialect.quote_char)))
    borders = pa.array([ord(dialect.delimiter), ord(dialect.quote_char), _CR, _LF], pa.uint8())
    opening = _every_second(found)
    opening = opening.slice(1) if opening[0].as_py() == 0 else opening
    before = octets.take(pc.subtract(opening, pa.scalar(1, pa.uint64())))
    return found if pc.all(pc.is_in(before, value_set=borders), min_count=0).as_py() else None


def _every_second(values: pa.Array) -> pa.Array:
    even = values if len(values) % 2 == 0 else pa.concat_arrays([values, values[-1:]])
    return pc.list_element(pa.FixedSizeListArray.from_arrays(even, 2), 0)


def _plain_ends(text: bytes) -> bool:
    return b"\r" not in text or text.count(b"\r") == text.count(b"\r\n")


def _at_once(text: bytes, dialect: Dialect) -> Records | None:
    quotes = _quotes(text, dialect)
    if quotes is None:
        return None
    octets = _octets(text)
    newline = pc.equal(octets, _LF)
    if not len(quotes):
        ends = pc.indices_nonzero(newline)
        return _records(text, ends, pa.array(range(1, len(ends) + 1), pa.int64()), False)
    events = pc.indices_nonzero(pc.or_(newline, pc.equal(octets, ord(dialect.quote_char))))
    is_quote = pc.equal(octets.take(events), ord(dialect.quote_char))
    inside = pc.bit_wise_and(pc.cumulative_sum(pc.cast(is_quote, pa.int64())), 1)
    is_line = pc.invert(is_quote)
    outside = pc.equal(inside.filter(is_line), 0)
    next_line = pc.add(pc.cast(pc.indices_nonzero(outside), pa.int64()), 1)
    return _records(text, events.filter(is_line).filter(outside), next_line, len(quotes) % 2 == 1)


def _records(text: bytes, ends: pa.Array, next_line: pa.Int64Array, open_quote: bool) -> Records:
    zero = pa.array([0], pa.int64())
    starts = pa.concat_arrays([zero, pc.add(pc.cast(ends, pa.int64()), 1)])
    lines = pa.concat_arrays([zero, next_line])
    if starts[-1].as_py() == len(text):
        starts, lines = starts[:-1], lines[:-1]
    return Records(text, starts, lines, open_quote)


# One by one ----------------------------------------------------------------------------------------------------


@cache
def _grammar(delimiter: str, quote: str, escape: str) -> re.Pattern[bytes]:
    """One record with its line end; group `open` is set when the text ends inside a quoted value."""
    d, q, e = (re.escape(each) for each in (delimiter, quote, escape))
    escaped = rf"|{e}(?s:.|\Z)" if e else ""
    plain = rf"(?:[^{d}\r\n{e}]++{escaped})*+"
    quoted = rf"{q}(?:[^{q}{e}]++|{q}{q}{escaped})*+(?:{q}{plain}|(?P<open>\Z))"
    field = rf"(?:{quoted}|{plain})" if q else plain
    later = field.replace("?P<open>", "?P<later>")
    return re.compile(rf"{field}(?:{d}{later})*+(?P<end>\r\n|\n|\r|\Z)".encode())


def _walk(text: bytes, dialect: Dialect) -> Iterator[re.Match[bytes]]:
    grammar = _grammar(dialect.delimiter, dialect.quote_char, dialect.escape_char)
    return (match for match in grammar.finditer(text) if match[0])


def _one_by_one(text: bytes, dialect: Dialect) -> Records:
    starts, lines, line, open_quote = [], [], 0, False
    for match in _walk(text, dialect):
        starts.append(match.start())
        lines.append(line)
        line += count_lines(match[0])
        open_quote = any(name in match.re.groupindex and match[name] is not None for name in ("open", "later"))
    return Records(text, pa.array(starts, pa.int64()), pa.array(lines, pa.int64()), open_quote)


def _last_whole(text: bytes, dialect: Dialect) -> int:
    ends = [match.end() for match in _walk(text, dialect) if match["end"] and _certain(match, text)]
    return ends[-1] if ends else 0


def _certain(match: re.Match[bytes], text: bytes) -> bool:
    return match["end"] != b"\r" or match.end() < len(text)


def first_record(text: bytes, dialect: Dialect, ended: bool) -> int:
    """The length of the first record with its line end; 0 when more text could make it longer."""
    match = next(_walk(text, dialect), None)
    if match is None:
        return 0
    return match.end() if ended or (match["end"] and _certain(match, text)) else 0
