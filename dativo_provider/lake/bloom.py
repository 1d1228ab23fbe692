"""Bloom filters of Parquet files, asked whether a row group may hold one of a few keys.
https://parquet.apache.org/docs/file-format/bloomfilter/ and https://github.com/Cyan4973/xxHash (XXH64)

PyArrow writes filters and tells where they are, but does not ask them. For a few keys plain Python is quick enough; for
many, some key would be found in every filter anyway.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.sink import filesystem_of
from dativo_provider.lake.translate import translated

if TYPE_CHECKING:
    import pyarrow.parquet as pq
    from pyiceberg.table import FileScanTask, Table

__all__ = ["may_hold", "xxh64"]

_HEADER_END = b"\x1c\x1c\x00\x00" * 3 + b"\x00"  # split blocks, XXH64, uncompressed; as Thrift writes it
_SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
Keys = Mapping[str, Sequence[Any]]


def may_hold(table: Table, task: FileScanTask, keys: Keys) -> bool:
    """Whether the file may have a row with one of the keys; `keys` are values by column, position by position.

    True where its filters do not say.
    """
    import pyarrow.parquet as pq

    ids = {table.schema().find_field(name).field_id: values for name, values in keys.items()}
    with translated(task.file.file_path):
        filesystem, path = filesystem_of(table.io, task.file.file_path)
        with filesystem.open_input_file(path) as source, pq.ParquetFile(source, pre_buffer=False) as opened:
            hashes = _hashes(opened, ids)
            groups = map(opened.metadata.row_group, range(opened.metadata.num_row_groups))
            return not hashes or any(_group_may_hold(source, group, hashes) for group in groups)


def _hashes(opened: pq.ParquetFile, ids: Mapping[int, Sequence[Any]]) -> dict[int, list[int | None]]:
    """By the column's position in the file, of those whose values we can hash; None: the file cannot hold it."""
    found, places = {}, {opened.schema.column(at).path: at for at in range(len(opened.schema))}
    for field in opened.schema_arrow:
        number = int((field.metadata or {}).get(b"PARQUET:field_id", -1))
        if number not in ids or field.name not in places:
            continue
        column = opened.schema.column(places[field.name])
        as_bytes = _PLAIN.get((column.physical_type, str(column.logical_type.type)))
        if as_bytes is not None:
            found[places[field.name]] = [_hash(as_bytes, value) for value in ids[number]]
    return found


def _hash(as_bytes: Callable[[Any], bytes], value: Any) -> int | None:
    try:
        return xxh64(as_bytes(value))
    except struct.error:  # wider than the file's numbers
        return None


_PLAIN: Mapping[tuple[str, str], Callable[[Any], bytes]] = {
    ("INT32", "NONE"): lambda value: struct.pack("<i", value),
    ("INT32", "INT"): lambda value: struct.pack("<i", value),
    ("INT64", "NONE"): lambda value: struct.pack("<q", value),
    ("INT64", "INT"): lambda value: struct.pack("<q", value),
    ("INT32", "DATE"): lambda value: struct.pack("<i", (value - date(1970, 1, 1)).days),
    ("BYTE_ARRAY", "STRING"): lambda value: str(value).encode(),
    ("FIXED_LEN_BYTE_ARRAY", "UUID"): lambda value: uuid.UUID(str(value)).bytes,
}


def _group_may_hold(source: Any, group: pq.RowGroupMetaData, hashes: Mapping[int, Sequence[int | None]]) -> bool:
    """One key must be possible in all of its columns."""
    filters = {at: _bits(source, group.column(at)) for at in hashes}
    possible = zip(*([_in(filters[at], each) for each in values] for at, values in hashes.items()), strict=True)
    return any(all(columns) for columns in possible)


def _bits(source: Any, column: pq.ColumnChunkMetaData) -> bytes | None:
    """None where there is no filter that we can ask."""
    if not column.bloom_filter_offset or not column.bloom_filter_length:
        return None
    found = bytes(source.read_at(column.bloom_filter_length, column.bloom_filter_offset))
    size, at = _varint(found, 1)
    if found[:1] != b"\x15" or found[at : at + len(_HEADER_END)] != _HEADER_END:
        return None
    bits = found[at + len(_HEADER_END) :]
    return bits if len(bits) == size and size and size % 32 == 0 else None


def _varint(found: bytes, at: int) -> tuple[int, int]:
    """A Thrift number, and where it ends."""
    value = shift = 0
    while at < len(found):
        value |= (found[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not found[at - 1] & 0x80:
            break
    return (value >> 1) ^ -(value & 1), at


def _in(bits: bytes | None, hashed: int | None) -> bool:
    if hashed is None or bits is None:
        return hashed is not None
    block = ((hashed >> 32) * (len(bits) // 32) >> 32) * 32
    low = hashed & 0xFFFFFFFF
    for at, salt in enumerate(_SALTS):
        bit = (low * salt & 0xFFFFFFFF) >> 27
        if not bits[block + at * 4 + (bit >> 3)] >> (bit & 7) & 1:
            return False
    return True


_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5, _ALL = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5, 0xFFFFFFFFFFFFFFFF


def xxh64(data: bytes) -> int:
    """With seed 0."""
    at, size = 0, len(data)
    if size >= 32:
        lanes = [(_P1 + _P2) & _ALL, _P2, 0, -_P1 & _ALL]
        while at + 32 <= size:
            lanes = [_round(lane, word) for lane, word in zip(lanes, struct.unpack_from("<4Q", data, at), strict=True)]
            at += 32
        mixed = sum(_rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _ALL
        for lane in lanes:
            mixed = ((mixed ^ _round(0, lane)) * _P1 + _P4) & _ALL
    else:
        mixed = _P5
    return _finished(_with_rest(mixed + size & _ALL, data, at))


def _with_rest(mixed: int, data: bytes, at: int) -> int:
    """The bytes after the last whole 32."""
    while at + 8 <= len(data):
        word = int.from_bytes(data[at : at + 8], "little")
        mixed, at = (_rotated(mixed ^ _round(0, word), 27) * _P1 + _P4) & _ALL, at + 8
    if at + 4 <= len(data):
        word = int.from_bytes(data[at : at + 4], "little")
        mixed, at = (_rotated(mixed ^ word * _P1 & _ALL, 23) * _P2 + _P3) & _ALL, at + 4
    for byte in data[at:]:
        mixed = _rotated(mixed ^ byte * _P5 & _ALL, 11) * _P1 & _ALL
    return mixed


def _finished(mixed: int) -> int:
    mixed = (mixed ^ mixed >> 33) * _P2 & _ALL
    mixed = (mixed ^ mixed >> 29) * _P3 & _ALL
    return mixed ^ mixed >> 32


def _round(lane: int, word: int) -> int:
    return _rotated(lane + word * _P2 & _ALL, 31) * _P1 & _ALL


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 64 - by) & _ALL
