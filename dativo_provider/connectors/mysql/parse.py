"""Blocks of rows as Arrow: every column of a block is cut out at once, and its text cast as a whole.

A value is its length and its bytes, so the next column begins where this one ends; that is arithmetic on one array of
places per column, never a loop over values. Long values are not copied before the cast: a string view refers to the
block. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_strings.html
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.connectors.mysql.driver import numpy_module
from dativo_provider.connectors.mysql.options import ZeroDates
from dativo_provider.connectors.mysql.rows import Block
from dativo_provider.connectors.mysql.types import Column
from dativo_provider.errors import DataError, InternalError
from dativo_provider.model.batch import Unrepresentable
from dativo_provider.model.types import to_arrow

__all__ = ["Parser"]

_INLINE = 12  # bytes of a value that stand in the view itself: https://arrow.apache.org/docs/format/Columnar.html
_NULL = 251
_WIDE = {252: 2, 253: 3, 254: 8}  # first byte → bytes of the length that follow
_ZERO = "-00"  # of a year, month or day that is none


class Parser:
    """Parses blocks of the given columns. Those in `as_text` stay text."""

    def __init__(
        self, columns: Sequence[Column], as_text: Collection[str], where: str, zero_dates: ZeroDates = "reject"
    ) -> None:
        self.columns, self.as_text, self.where, self.zero_dates = columns, frozenset(as_text), where, zero_dates
        self._names = [column.name for column in columns]

    def batch(self, block: Block) -> pa.RecordBatch:
        """Raises `Unrepresentable` naming the column."""
        cut = _Cut(block)
        arrays = [self._decoded(column, cut.column()) for column in self.columns]
        cut.check_end()
        return pa.RecordBatch.from_arrays(arrays, names=self._names)

    def _decoded(self, column: Column, values: pa.Array) -> pa.Array:
        """Views become values of their own: they would hold the whole block."""
        if column.type == "binary":
            return pc.cast(values, pa.binary())
        text = self._text(column, values)
        if column.name in self.as_text or column.type in ("string", "uuid"):
            return text
        if column.is_dated and self.zero_dates == "null":
            text = pc.if_else(pc.match_substring(text, _ZERO), pa.scalar(None, pa.string()), text)
        return self._cast(column, text)

    def _text(self, column: Column, values: pa.Array) -> pa.Array:
        try:
            return pc.cast(values, pa.string())
        except pa.ArrowInvalid:
            raise DataError(
                f"column '{column.name}' of {self.where} holds bytes that are not UTF-8", where=self.where,
                remedy="convert it in a `query`, or leave it out with `columns`",
            ) from None  # fmt: skip

    def _cast(self, column: Column, text: pa.Array) -> pa.Array:
        kind = to_arrow(column.type)
        try:
            if column.type == "timestamptz":  # written in UTC, without saying so
                return pc.cast(pc.cast(text, pa.timestamp("us")), kind)
            return pc.cast(text, kind)
        except pa.ArrowInvalid:  # its message quotes the value
            raise Unrepresentable((column.name,), f"a value is no {column.type}") from None


class _Cut:
    """A block, and how far each of its rows has been cut into columns."""

    def __init__(self, block: Block) -> None:
        self._np = np = numpy_module()
        self._block = block
        self._bytes = np.frombuffer(block.bytes, np.uint8)
        # views read a few bytes further than short values at the block's end
        padded = np.concatenate([self._bytes, np.zeros(_INLINE + 8, np.uint8)])
        self._short = np.lib.stride_tricks.sliding_window_view(padded, _INLINE)
        self._padded = padded
        self._at = np.array(block.starts, np.int64)
        self._mask = np.arange(_INLINE, dtype=np.int64)

    def column(self) -> pa.Array:
        """As bytes: Arrow looks whether they are UTF-8 when these become text, and not when views of text do."""
        np = self._np
        first = self._padded[self._at]
        lengths, starts, absent = first.astype(np.int64), self._at + 1, first == _NULL
        lengths[absent] = 0
        if len(first) and first.max() > _NULL:
            self._widen(first, lengths, starts)
        self._at = starts + lengths
        self._check(starts, lengths)
        valid = pa.py_buffer(np.packbits(~absent, bitorder="little")) if absent.any() else None
        buffers = [valid, pa.py_buffer(self._views(starts, lengths)), self._block.bytes]
        return pa.Array.from_buffers(pa.binary_view(), len(first), buffers)

    def _widen(self, first: Any, lengths: Any, starts: Any) -> None:
        """Values of 251 bytes and more: the length stands behind the first byte."""
        np = self._np
        for mark, size in _WIDE.items():
            rows = np.flatnonzero(first == mark)
            if len(rows):
                at = self._at[rows] + 1
                parts = (self._padded[at + byte].astype(np.int64) << (8 * byte) for byte in range(size))
                lengths[rows] = sum(parts)
                starts[rows] += size

    def _check(self, starts: Any, lengths: Any) -> None:
        """What has gone astray must not read beyond the block."""
        if len(starts) and (lengths.min() < 0 or self._at.max() > len(self._bytes)):
            raise _astray()

    def _views(self, starts: Any, lengths: Any) -> Any:
        """Sixteen bytes a value: the length, then the value itself, or its first four bytes and its place."""
        np = self._np
        views = np.zeros((len(starts), 16), np.uint8)
        words = views.view("<i4")
        words[:, 0] = lengths
        np.multiply(self._short[starts], self._mask < lengths[:, None], out=views[:, 4:], casting="unsafe")
        long = np.flatnonzero(lengths > _INLINE)
        if len(long):
            words[long, 2] = 0
            words[long, 3] = starts[long]
        return views

    def check_end(self) -> None:
        """Raises unless the last column of every row ends with the row."""
        if not self._np.array_equal(self._at, self._np.array(self._block.ends, self._np.int64)):
            raise _astray()


def _astray() -> InternalError:
    return InternalError(
        "rows of the source do not end where their columns do", remedy="please report this, with the server's version"
    )
