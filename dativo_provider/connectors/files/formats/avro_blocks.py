"""Avro files whose blocks are packed by what `fastavro` has another library for: unpacked by Arrow on the way to it.

https://avro.apache.org/docs/1.12.0/specification/#required-codecs
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO

import pyarrow as pa

__all__ = ["unpacked"]

_MAGIC, _SYNC = b"Obj\x01", 16
_LARGEST = 1 << 30  # bytes of a block; more is no block but a broken number
_STEP = 1 << 20
_SNAPPIEST = 32  # bytes of one packed byte: three of them stand for 64 at most


def unpacked(file: BinaryIO) -> BinaryIO:
    """`file` from its first byte on, as its writer had written it without packing, for readers that only `read`."""
    seen = _Seen(file)
    if seen.read(len(_MAGIC)) != _MAGIC:
        return _Chunks(chain([seen.held()], _rest(file)))  # type: ignore[return-value]
    codec = _header(seen)
    if codec not in _UNPACK:
        return _Chunks(chain([seen.held()], _rest(file)))  # type: ignore[return-value]
    head = seen.held().replace(_text("avro.codec") + _text(codec), _text("avro.codec") + _text("null"), 1)
    return _Chunks(chain([head], _blocks(file, _UNPACK[codec])))  # type: ignore[return-value]


def _header(file: _Seen) -> str:
    codec = "null"
    while count := _long(file):
        if count < 0:
            _long(file)  # the block's size in bytes
        for _ in range(abs(count)):
            key, value = file.read(_length(file)), file.read(_length(file))
            codec = value.decode() if key == b"avro.codec" else codec
    file.read(_SYNC)
    return codec


def _blocks(file: BinaryIO, unpack: Callable[[bytes], bytes]) -> Iterator[bytes]:
    while first := file.read(1):
        exact = _Seen(file, first)
        count, packed = _long(exact), exact.read(_length(exact))
        data = unpack(packed)
        yield _varint(count) + _varint(len(data)) + data + exact.read(_SYNC)


def _snappy(packed: bytes) -> bytes:
    """Raw, with its unpacked size before it and the checksum of what it holds behind it."""
    size, shift = 0, 0
    for each in packed[:5]:
        size |= (each & 127) << shift
        shift += 7
        if each < 128:
            break
    if size > min(_LARGEST, _SNAPPIEST * len(packed)):
        raise ValueError("a block that is too large")
    data: bytes = pa.decompress(packed[:-4], size, "snappy", asbytes=True)
    if struct.pack(">I", zlib.crc32(data)) != packed[-4:]:
        raise ValueError("a block whose checksum is another")
    return data


def _zstandard(packed: bytes) -> bytes:
    data = bytearray()
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        while part := stream.read(_STEP):  # Arrow sets as much memory aside as it is asked for
            data += part
            if len(data) > _LARGEST:
                raise ValueError("a block that is too large")
    return bytes(data)


_UNPACK: dict[str, Callable[[bytes], bytes]] = {"snappy": _snappy, "zstandard": _zstandard}


def _long(file: _Seen) -> int:
    """Zigzag, seven bits to a byte."""
    found = shift = 0
    while (each := file.read(1)[0]) > 127:
        found, shift = found | (each & 127) << shift, shift + 7
        if shift > 63:
            raise ValueError("a number that is too long")
    found |= each << shift
    return (found >> 1) ^ -(found & 1)


def _length(file: _Seen) -> int:
    size = _long(file)
    if not 0 <= size <= _LARGEST:
        raise ValueError("a length that cannot be")
    return size


def _varint(number: int) -> bytes:
    left, made = (number << 1) ^ (number >> 63), bytearray()
    while left > 127:
        made.append(left & 127 | 128)
        left >>= 7
    return bytes([*made, left])


def _text(word: str) -> bytes:
    return _varint(len(word)) + word.encode()


def _rest(file: BinaryIO) -> Iterator[bytes]:
    while data := file.read(1 << 20):
        yield data


class _Seen:
    """Exact reads of `file`, after `first`, and all that they gave. Raises `ValueError` at its end."""

    def __init__(self, file: BinaryIO, first: bytes = b"") -> None:
        self._file, self._first, self._parts = file, first, list[bytes]()

    def read(self, size: int) -> bytes:
        data, self._first = self._first[:size], self._first[size:]
        while len(data) < size:
            more = self._file.read(size - len(data))
            if not more:
                raise ValueError("the file ends in the middle of something")  # EOFError is the end for fastavro
            data += more
        self._parts.append(data)
        return data

    def held(self) -> bytes:
        return b"".join(self._parts)


class _Chunks:
    """`read(n)` gives `n` bytes unless the end is reached; `tell` counts them."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held, self._at, self._read = chunks, b"", 0, 0

    def tell(self) -> int:
        return self._read

    def read(self, size: int) -> bytes:
        parts = list[bytes]()
        while size:
            if self._at == len(self._held):
                self._held, self._at = next(self._chunks, b""), 0
                if not self._held:
                    break
            parts.append(self._held[self._at : self._at + size])
            self._at += len(parts[-1])
            size -= len(parts[-1])
        made = parts[0] if len(parts) == 1 else b"".join(parts)
        self._read += len(made)
        return made
