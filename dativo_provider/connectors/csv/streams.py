"""The bytes of one file: hashed as they are on disk, unpacked, and as UTF-8 without a byte order mark."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.errors import DataError

__all__ = ["TextStream", "with_head"]

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_STEP = 1 << 20
UNDECODABLE = "\udcff"  # becomes the byte FF, which no UTF-8 text holds: the row is found and rejected later

codecs.register_error("dativo-mark", lambda error: (UNDECODABLE, _end(error)))


def _end(error: UnicodeError) -> int:
    return error.end if isinstance(error, UnicodeDecodeError) else 0


class _Hashed(io.RawIOBase):
    """Reads through to `raw`, keeping sha256, where that is wanted, and count of what passes."""

    def __init__(self, raw: BinaryIO, wanted: bool) -> None:
        self._raw, self.sha256, self.size, self.wanted = raw, hashlib.sha256(), 0, wanted

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        data = self._raw.read(-1 if size is None else size)
        if self.wanted:
            self.sha256.update(data)
        self.size += len(data)
        return data

    def close(self) -> None:
        self._raw.close()
        super().close()


class TextStream:
    """`read` gives UTF-8 bytes; once it has given b"" `size` is that of the whole file, and with `hashed` `sha256` too.

    Raises `DataError` when a compressed file is truncated or corrupt.
    """

    def __init__(self, raw: BinaryIO, dialect: Dialect, where: str, hashed: bool = False) -> None:
        self._where = where
        self._hashed = _Hashed(raw, hashed)
        head = self._hashed.read(4)
        self._unpacked: pa.NativeFile | None = None
        codec = next((name for magic, name in _PACKED.items() if head.startswith(magic)), None)
        self._next = self._unpack(codec, head) if codec else with_head(head, self._hashed.read)
        self._decode = self._decoder(dialect)

    @property
    def hashed(self) -> bool:
        return self._hashed.wanted

    @property
    def sha256(self) -> str:
        return self._hashed.sha256.hexdigest()

    @property
    def size(self) -> int:
        return self._hashed.size

    @property
    def as_stored(self) -> bool:
        """Whether the text is the file's own bytes, but for a byte order mark."""
        return self._unpacked is None and self._decode is None

    def read(self, size: int) -> bytes:
        """Some bytes, b"" only at the end."""
        while True:
            data = self._take(size)
            text = self._decode(data, not data) if self._decode else data
            if text or not data:
                return text

    def close(self) -> None:
        if self._unpacked is not None:
            self._unpacked.close()
        self._hashed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _unpack(self, codec: str, head: bytes) -> Callable[[int], bytes]:
        packed = pa.PythonFile(_Prefixed(head, self._hashed), mode="r")
        self._unpacked = pa.CompressedInputStream(packed, codec)
        return self._unpacked.read  # type: ignore[no-any-return]

    def _take(self, size: int) -> bytes:
        try:
            return self._next(size)
        except OSError as error:
            if self._unpacked is None or error.errno or type(error) is not OSError:
                raise  # the disk's or the network's; Arrow tells of bad data by a bare one
            raise DataError(
                f"the compressed file is truncated or corrupt: {error}",
                where=self._where,
                remedy="deliver the file again; nothing of this run was published",
            ) from error

    def _decoder(self, dialect: Dialect) -> Callable[[bytes, bool], bytes] | None:
        """Drops a byte order mark, which also overrules the encoding asked for."""
        head = self._take(_STEP)
        mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
        encoding = _MARKS.get(mark, dialect.encoding)
        self._next = with_head(head[len(mark) :], self._next)
        if encoding == "utf-8" or (dialect.utf8 and not mark):
            return None
        decoder = codecs.getincrementaldecoder(encoding)("dativo-mark")
        return lambda data, final: decoder.decode(data, final).encode("utf-8", "surrogateescape")


class _Prefixed(io.RawIOBase):
    """`head`, then the rest of `raw`."""

    def __init__(self, head: bytes, raw: _Hashed) -> None:
        self._next = with_head(head, raw.read)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        return self._next(_STEP if size is None or size < 0 else size)


def with_head(head: bytes, rest: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Reads `head`, then on from `rest`."""
    waiting = [head] if head else []

    def read(size: int) -> bytes:
        if not waiting:
            return rest(size)
        first = waiting.pop()
        if len(first) > size:
            waiting.append(first[size:])
        return first[:size]

    return read
