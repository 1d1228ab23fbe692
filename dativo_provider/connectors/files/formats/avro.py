"""Avro object container files, block by block. https://avro.apache.org/docs/1.12.0/specification/#object-container-files"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
import pyarrow as pa

from dativo_provider.connectors.files.formats.avro_blocks import unpacked
from dativo_provider.connectors.files.formats.base import Asked, Division, Head, Span, lots, options_of, whole
from dativo_provider.connectors.files.formats.plain import bare, ordinals
from dativo_provider.errors import DataError, MissingExtra
from dativo_provider.model.batch import Batch
from dativo_provider.model.types import to_arrow

__all__ = ["Avro"]

_ROWS = 5000
_BROKEN = (
    ValueError, EOFError, LookupError, TypeError, OverflowError, RecursionError,
    struct.error, zlib.error, lzma.LZMAError,
)  # fmt: skip
_OPTIONS = {"batch_size": whole(0, 1 << 31)}
_KINDS = {
    "boolean": "boolean", "int": "int", "long": "long", "float": "float", "double": "double", "bytes": "binary",
    "fixed": "binary", "string": "string", "enum": "string", "null": "string",
}  # fmt: skip
_LOGICAL = {
    "date": "date", "time-millis": "time", "time-micros": "time", "timestamp-millis": "timestamptz",
    "timestamp-micros": "timestamptz", "local-timestamp-millis": "timestamp", "local-timestamp-micros": "timestamp",
    "uuid": "uuid",
}  # fmt: skip


class Avro:
    """Options: `batch_size`, the most rows of a batch. Unions of several kinds and recursive records are JSON text."""

    jumps = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._rows = options_of("Avro", options, _OPTIONS).get("batch_size") or _ROWS

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head:
        with _opened(file, where) as found:
            types = _columns(found.writer_schema, where)
        return Head(tuple(types), types, typed=True)

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        return []

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        """Positions are the ordinals of the records, from 1."""
        with _opened(file, asked.origin) as found:
            types, at = _columns(found.writer_schema, asked.origin), 1
            names = asked.wanted(list(types))
            for records in lots(_sized(found), self._rows, asked.block_bytes):
                arrays = [_array([record[name] for record in records], types[name]) for name in names]
                places = ordinals(at, len(records))
                data = pa.RecordBatch.from_arrays(arrays, names=names) if names else bare(len(records))
                yield Batch(asked.stream.name, data, asked.origin, places)
                at += len(records)


@contextmanager
def _opened(file: BinaryIO, where: str) -> Iterator[Any]:
    try:
        import fastavro
    except ImportError as problem:
        raise MissingExtra.named("avro", "reading Avro files") from problem
    try:
        yield fastavro.block_reader(unpacked(file))
    except (*_BROKEN, OSError, fastavro.schema.SchemaParseException) as error:
        if isinstance(error, OSError) and (error.errno or type(error) is not OSError):
            raise  # the disk's or the network's; bzip2 tells of bad data by a bare one
        raise DataError(
            f"this is no Avro file that can be read: {type(error).__name__}: {str(error)[:200]}", where=where,
            remedy="deliver the file again; see whether the writer had finished it",
        ) from error  # fmt: skip


def _sized(blocks: Any) -> Iterator[tuple[Any, float]]:
    """Each record, with its share of the bytes of its block, unpacked."""
    for block in blocks:
        share = len(block.bytes_.getbuffer()) / max(1, block.num_records)
        for record in block:
            yield record, share
        if block.bytes_.read(1):
            raise ValueError("a block holds more than its records")


def _columns(schema: Any, where: str) -> dict[str, str]:
    """By name, in Iceberg's words."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise DataError("the file holds no records with columns", where=where, remedy="write records of named fields")
    known: dict[str, Any] = {}
    return {field["name"]: _word(field["type"], known, ()) for field in schema["fields"]}


def _word(kind: Any, known: dict[str, Any], inside: tuple[str, ...]) -> str:
    """A record within itself, and a union of several kinds, is text."""
    if isinstance(kind, list):
        others = [each for each in kind if each != "null"]
        return _word(others[0], known, inside) if len(others) == 1 else "string"
    if isinstance(kind, str):
        return _KINDS.get(kind) or (_word(known[kind], known, inside) if kind in known else "string")
    name = kind.get("name", "")
    if name in inside:
        return "string"
    if name:
        known[name] = kind
    return _logical(kind) or _nested(kind, known, (*inside, name) if name else inside)


def _logical(kind: Mapping[str, Any]) -> str | None:
    if kind.get("logicalType") == "decimal" and int(kind.get("precision", 0)) <= 38:
        return f"decimal({kind['precision']},{kind.get('scale', 0)})"
    return _LOGICAL.get(kind.get("logicalType", ""))


def _nested(kind: Mapping[str, Any], known: dict[str, Any], inside: tuple[str, ...]) -> str:
    form = kind["type"]
    if form == "array":
        return f"list<{_word(kind['items'], known, inside)}>"
    if form == "map":
        return f"map<string,{_word(kind['values'], known, inside)}>"
    if form in ("record", "error"):
        parts = [f"{each['name']}:{_word(each['type'], known, inside)}" for each in kind["fields"]]
        return f"struct<{','.join(parts)}>" if parts else "string"
    return _word(form, known, inside)


def _array(values: list[Any], word: str) -> pa.Array:
    try:
        given = [str(each) if isinstance(each, UUID) else each for each in values] if word == "uuid" else values
        return pa.array(given, to_arrow(word))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.array([None if each is None else _text(each) for each in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, (str, UUID)):
        return str(value)
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()
