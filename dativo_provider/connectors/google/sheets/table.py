"""Chunks of cells as batches of rows: blank rows left out, ragged ones padded, what is no row rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from dativo_provider.connectors.google.sheets.area import letters
from dativo_provider.connectors.google.sheets.columns import column
from dativo_provider.connectors.google.sheets.grid import Sheet
from dativo_provider.connectors.google.sheets.header import Header
from dativo_provider.connectors.google.sheets.options import SheetOptions
from dativo_provider.connectors.google.sheets.rows import Row
from dativo_provider.model.batch import Batch, Reject

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Table"]

_ERRORS = frozenset(
    {"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#ERROR!", "#SPILL!", "Loading..."}
)
_RAW_LIMIT = 64 << 10


@dataclass(frozen=True)
class Table:
    """One sheet as rows of `names`. `kinds` are the types columns shall have, `formats` those of their numbers."""

    stream: str
    sheet: Sheet
    header: Header
    options: SheetOptions
    names: Sequence[str]
    kinds: Mapping[str, str]
    formats: Mapping[str, str]
    as_text: Sequence[str] = ()

    def batches(self, chunks: Iterator[tuple[int, list[Row]]]) -> Iterator[Batch]:
        for top, rows in chunks:
            below = [(at, row) for at, row in enumerate(rows, top) if at >= self.header.row and not self._blank(row)]
            wrong = {at: reason for at, row in below if (reason := self._wrong(at, row))}
            kept = [(at, row) for at, row in below if at not in wrong]
            rejects = tuple(Reject(self.sheet.path, at + 1, _raw(row), wrong[at]) for at, row in below if at in wrong)
            if below:
                yield self._batch(kept, rejects)

    def _batch(self, rows: Sequence[tuple[int, Row]], rejects: tuple[Reject, ...]) -> Batch:
        import pyarrow as pa

        cells = list(zip_longest(*(row for _, row in rows), fillvalue=""))
        nothing = ("",) * len(rows)
        arrays: list[pa.Array] = []
        for name in self.names:
            place = self.header.place(name)
            values = self._judged(cells[place] if place < len(cells) else nothing)
            kind, format_ = self.kinds.get(name, ""), self.formats.get(name, "")
            arrays.append(column(values, kind, self.sheet.zone, format_=format_, text=name in self.as_text))
        data = pa.RecordBatch.from_arrays(arrays, names=list(self.names))
        places = pa.array([at + 1 for at, _ in rows], pa.int64())
        return Batch(self.stream, data, self.sheet.path, places, rejects=rejects)

    def _judged(self, values: Sequence[Any]) -> Sequence[Any]:
        if self.options.errors != "null":
            return values
        return ["" if isinstance(value, str) and value in _ERRORS else value for value in values]

    def _blank(self, row: Row) -> bool:
        blank = self.options.blank
        return all(cell == "" or any(_same(cell, each) for each in blank) for cell in row)

    def _wrong(self, at: int, row: Row) -> str:
        """Why a row is none; empty when it is one."""
        named = self.header.names
        for place, cell in enumerate(row):
            if cell == "":
                continue
            if place not in named and not self.options.column_names:
                return f"cell {self._cell(at, place)} has a value, and its column has no name"
            if self.options.errors == "reject" and isinstance(cell, str) and cell in _ERRORS:
                return f"cell {self._cell(at, place)} holds {cell}"
        return ""

    def _cell(self, at: int, place: int) -> str:
        return f"{letters(self.sheet.area.left + place)}{at + 1}"


def _same(cell: Any, blank: bool | int | str) -> bool:
    """A box that is not ticked is no 0."""
    return bool(cell == blank) and isinstance(cell, bool) == isinstance(blank, bool)


def _raw(row: Row) -> str:
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode(row).decode()[:_RAW_LIMIT]
