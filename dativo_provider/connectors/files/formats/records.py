"""JSON records become batches: at once by Arrow where every value fits, else value by value and exactly.

Arrow's reader is given the types it may use, so nothing is guessed: https://arrow.apache.org/docs/python/json.html.
What it does not take (a number where text is wanted, a broken line) makes the block be decoded with exact numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson
import pyarrow.types as t

from dativo_provider.connectors.files.formats.base import Asked, Head
from dativo_provider.connectors.files.formats.plain import bare, ordinals
from dativo_provider.connectors.rest.arrow import Reading, to_batch
from dativo_provider.errors import Unsupported
from dativo_provider.model.batch import Batch, Reject, one_array
from dativo_provider.model.matching import match_names
from dativo_provider.model.types import from_arrow, to_arrow

__all__ = ["BAD_JSON", "BLANK", "DECODER", "Columns", "Lines", "RecordParser", "columns_of", "head_of"]

DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
BLANK = frozenset(b" \t\r\n")
_AS_WRITTEN = frozenset({"date", "time", "timestamp", "timestamptz", "uuid", "binary"})  # text the pipeline casts
_RAW_LIMIT = 64 << 10  # characters of a rejected record that are kept
_GIVE_UP = 3  # blocks in a row that Arrow did not take
_DOT = "\x1f"


@dataclass(frozen=True)
class Lines:
    """Records, one to a line; the first stands on `line`. With `by_bytes` positions are bytes, from `line` on."""

    text: bytes
    line: int
    by_bytes: bool = False


@dataclass(frozen=True)
class Columns:
    """What is read of each record, in order, with types in Iceberg's words."""

    types: Mapping[str, str]
    as_text: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema | None:
        """None where Arrow's own reading of a type would not be the pipeline's."""
        kinds = {name: pa.string() if self._plain(name, kind) else to_arrow(kind) for name, kind in self.types.items()}
        return pa.schema(kinds.items()) if not any(map(_holds_moments, kinds.values())) else None

    def _plain(self, name: str, kind: str) -> bool:
        return name in self.as_text or kind in _AS_WRITTEN

    @cached_property
    def dotted(self) -> bool:
        return any("." in name or not name for name in self.types)

    @cached_property
    def readings(self) -> list[Reading]:
        return [Reading(name, kind, _path(name)) for name, kind in self.types.items()]


def _path(name: str) -> str:
    return name.replace(".", _DOT) or _DOT


def _holds_moments(kind: pa.DataType) -> bool:
    if t.is_nested(kind):
        return any(_holds_moments(kind.field(at).type) for at in range(kind.num_fields))
    return bool(t.is_temporal(kind) or t.is_binary(kind))


def columns_of(head: Head, asked: Asked) -> Columns:
    """The columns of the file's head, then those of the contract that it does not show, with the contract's types."""
    fields = asked.stream.contract.fields
    types, places = dict(head.types), match_names(fields, head.names)
    for field, place in zip(fields, places, strict=True):
        types[field.name if place is None else head.names[place]] = field.type
    names = asked.wanted([*head.names, *(each.name for each in fields)])
    return Columns({name: types.get(name, "string") for name in dict.fromkeys(names) if name in types}, asked.as_text)


def head_of(records: Sequence[Mapping[str, Any]], infer: bool) -> Head:
    """Keys in the order they appear, with the types of their values."""
    names = tuple(dict.fromkeys(chain.from_iterable(records)))
    types = {name: _kind([record.get(name) for record in records]) if infer else "string" for name in names}
    return Head(names, types, sparse=True)


def _kind(values: Sequence[Any]) -> str:
    """The type of all values; text where no type holds them all, or numbers need more digits than a decimal has."""
    try:
        kind = pa.array(values).type
        return "double" if t.is_decimal(kind) else from_arrow(kind) if not _empty(kind) else "string"
    except (pa.ArrowException, OverflowError, ValueError, TypeError, Unsupported):
        return "string"


def _empty(kind: pa.DataType) -> bool:
    """Whether a part of it has shown no value: what it holds is not known."""
    if t.is_nested(kind):
        return kind.num_fields == 0 or any(_empty(kind.field(at).type) for at in range(kind.num_fields))
    return bool(t.is_null(kind))


class RecordParser:
    """Parses blocks of one file; several threads may call it at once."""

    def __init__(self, asked: Asked, columns: Columns) -> None:
        self._asked, self._columns, self._failed = asked, columns, 0

    def lines(self, block: Lines) -> Batch:
        """A block that begins with a record; blank lines are none."""
        made = self._at_once(block)
        return made or self._one_by_one(block)

    def records(self, records: Sequence[Any], positions: Sequence[int], rejects: tuple[Reject, ...] = ()) -> Batch:
        """What is no object is rejected."""
        asked = self._asked
        good = [at for at, each in enumerate(records) if isinstance(each, dict)]
        if len(good) < len(records):
            bad = (at for at, each in enumerate(records) if not isinstance(each, dict))
            told = (
                Reject(asked.origin, positions[at], _shown(records[at]), "this is no JSON object with columns")
                for at in bad
            )
            rejects = tuple(sorted((*rejects, *told), key=lambda each: each.position))
            records, positions = [records[at] for at in good], [positions[at] for at in good]
        self._note(records)
        given = [_without_dots(each) for each in records] if self._columns.dotted else records
        readings = self._columns.readings
        data = to_batch(given, readings, self._columns.as_text) if readings else bare(len(given))
        return Batch(asked.stream.name, data, asked.origin, pa.array(positions, pa.int64()), rejects=rejects)

    def _note(self, records: Iterable[Mapping[str, Any]]) -> None:
        known = self._columns.types.keys()
        for record in records:
            if not record.keys() <= known:
                self._asked.unknown.update(record.keys() - known)

    def _at_once(self, block: Lines) -> Batch | None:
        schema = self._columns.schema
        if schema is None or self._failed >= _GIVE_UP or not block.text:
            return None
        made = _by_arrow(block.text, schema)
        count = block.text.count(b"\n") + (not block.text.endswith(b"\n"))
        if made is None or made.num_rows != count:
            self._failed += 1
            return None
        self._failed = 0
        self._asked.unknown.update(set(made.schema.names) - set(schema.names))
        data = made.select(schema.names)
        return Batch(self._asked.stream.name, data, self._asked.origin, _positions(block, count))

    def _one_by_one(self, block: Lines) -> Batch:
        found, places, rejects, at = [], [], [], block.line
        for line in block.text.split(b"\n"):
            if not BLANK.issuperset(line):
                try:
                    found.append(DECODER.decode(line))
                    places.append(at)
                except BAD_JSON as error:
                    reason = (
                        f"this is no JSON: {error}" if not isinstance(error, RecursionError) else "nested too deeply"
                    )
                    rejects.append(Reject(self._asked.origin, at, _text(line), reason))
            at += len(line) + 1 if block.by_bytes else 1
        return self.records(found, places, tuple(rejects))


def _positions(block: Lines, count: int) -> pa.Int64Array:
    if not block.by_bytes:
        return ordinals(block.line, count)
    octets = pa.Array.from_buffers(pa.uint8(), len(block.text), [None, pa.py_buffer(block.text)])
    ends = pc.cast(pc.indices_nonzero(pc.equal(octets, 10)), pa.int64())
    starts = pa.concat_arrays([pa.array([0], pa.int64()), pc.add(ends, 1)]).slice(0, count)
    return pc.add(starts, block.line)


def _by_arrow(text: bytes, schema: pa.Schema) -> pa.RecordBatch | None:
    try:
        table = pajson.read_json(
            pa.BufferReader(text),
            read_options=pajson.ReadOptions(use_threads=False, block_size=max(len(text) + 1, 1024)),
            parse_options=pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
        )
        made = pa.RecordBatch.from_arrays([one_array(each) for each in table.columns], schema=table.schema)
        made.validate(full=True)
    except (pa.ArrowException, ValueError):  # ValueError: text that is no UTF-8
        return None
    exact = all(made.schema.field(name).type == kind for name, kind in zip(schema.names, schema.types, strict=True))
    return made if exact and not any(map(_endless, made.columns)) else None


def _endless(column: pa.Array) -> bool:
    return bool(t.is_floating(column.type) and pc.any(pc.is_inf(column)).as_py())


def _without_dots(record: Mapping[str, Any]) -> dict[str, Any]:
    return {_path(name): value for name, value in record.items()}


def _shown(value: Any) -> str:
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()[:_RAW_LIMIT]


def _text(line: bytes) -> str:
    return line.decode(errors="replace").strip()[:_RAW_LIMIT]
