"""Blocks of COPY's CSV as Arrow. What a column's type cannot hold is an error here, never another value."""

from __future__ import annotations

import binascii
import re
from collections.abc import Collection, Sequence
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from dativo_provider.connectors.postgres.arrays import to_list
from dativo_provider.connectors.postgres.types import Column
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Unrepresentable, one_array
from dativo_provider.model.types import to_arrow

__all__ = ["Parser"]

_COLUMN = re.compile(r"CSV column #(\d+)")


class Parser:
    """Parses blocks of the given columns. Those in `as_text` stay text."""

    def __init__(self, columns: Sequence[Column], as_text: Collection[str], where: str) -> None:
        self.columns, self.as_text, self.where = columns, frozenset(as_text), where
        numbered = [str(index) for index in range(len(columns))]
        types = {number: self._parsed(column) for number, column in zip(numbered, columns, strict=True)}
        self._names = [column.name for column in columns]
        self._column_names = numbered
        # A block is parsed as one, so Arrow need not look for places to divide it; values may still hold newlines.
        self._parse = csv.ParseOptions(newlines_in_values=False, ignore_empty_lines=False)
        # unquoted nothing is NULL, quoted nothing is ''
        self._convert = csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        )  # fmt: skip

    def _parsed(self, column: Column) -> pa.DataType:
        plain = column.form == "plain" and column.name not in self.as_text
        return to_arrow(column.type) if plain else pa.string()

    def batch(self, block: pa.Buffer) -> pa.RecordBatch:
        """`block` holds whole records. Raises `Unrepresentable` naming the column."""
        read = csv.ReadOptions(column_names=self._column_names, block_size=block.size + 1)
        try:
            table = csv.read_csv(pa.BufferReader(block), read, self._parse, self._convert)
        except pa.ArrowInvalid as error:
            self._refuse(error)
        arrays = [self._decoded(column, table[index]) for index, column in enumerate(self.columns)]
        return pa.RecordBatch.from_arrays(arrays, names=self._names)

    def _refuse(self, error: pa.ArrowInvalid) -> NoReturn:
        """Arrow's message quotes the value: it must not travel on."""
        found = _COLUMN.search(str(error))
        if not found:
            raise DataError(
                f"a block of {self.where} could not be parsed: {type(error).__name__}", where=self.where,
                remedy="please report this",
            ) from None  # fmt: skip
        column = self.columns[int(found[1])]
        if column.name in self.as_text or self._parsed(column) == pa.string():
            raise DataError(
                f"column '{column.name}' of {self.where} holds bytes that are not UTF-8", where=self.where,
                remedy="decode it in a `query`, or leave it out with `columns`",
            ) from None  # fmt: skip
        raise Unrepresentable((column.name,), f"a value is no {column.type}") from None

    def _decoded(self, column: Column, values: pa.ChunkedArray) -> pa.Array:
        whole = one_array(values)
        if column.form == "binary":
            return from_hex(whole)
        if column.form == "list" and column.name not in self.as_text:
            return to_list(whole, column)
        return whole


def from_hex(values: pa.StringArray) -> pa.BinaryArray:
    """`\\x00ff` → bytes, all at once: the digits lie side by side, and each value begins at half its digits."""
    if not len(values):
        return pa.array([], pa.binary())
    _, ends, data = values.buffers()
    places = pa.Array.from_buffers(pa.int32(), len(values) + 1, [None, ends], offset=values.offset)
    first, last = places[0].as_py(), places[-1].as_py()
    digits = bytes(data)[first:last].replace(b"\\x", b"") if data is not None else b""
    valid = pc.is_valid(values)
    prefixes = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(pc.cast(valid, pa.int32()))])
    two = pa.scalar(2, pa.int32())
    offsets = pc.divide(pc.subtract(pc.subtract(places, places[0]), pc.multiply(prefixes, two)), two)
    mask = valid.buffers()[1] if values.null_count else None
    whole = pa.py_buffer(binascii.unhexlify(digits))
    return pa.Array.from_buffers(pa.binary(), len(values), [mask, offsets.buffers()[1], whole])
