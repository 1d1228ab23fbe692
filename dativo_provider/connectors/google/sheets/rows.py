"""The rows of a sheet, chunk by chunk of its real grid, by the sheet's number and not its title.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/batchGetByDataFilter
The answer leaves out trailing blank rows and cells, so an empty row in the middle is no end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from dativo_provider.connectors.google.sheets.area import Area
from dativo_provider.connectors.google.sheets.grid import Sheet
from dativo_provider.connectors.rest.client import Call

__all__ = ["Cells", "Row"]

Row = list[Any]
Ask = Callable[[Call], Any]
_FIRST = 20_000  # cells of the first chunk, when nothing is known of their size
_MOST = 200_000
_AIM = 2_000_000  # bytes of an answer: what Google's limits page advises as a payload


class Cells:
    """Iterate for (number of the first row from 0, rows), merged cells filled where asked.

    `digest` is that of everything given so far; `requests` counts what it took.
    """

    def __init__(self, ask: Ask, sheet: Sheet, *, fill: bool = False) -> None:
        self._ask, self._sheet, self._fill = ask, sheet, fill
        self._hash, self._encoder = hashlib.sha256(), msgspec.json.Encoder(decimal_format="number")
        self._held: dict[Area, Any] = {}
        self.requests = 0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[tuple[int, list[Row]]]:
        area, cells = self._sheet.area, _FIRST
        top = area.top
        while top < area.bottom and area.columns:
            bottom = min(area.bottom, top + max(1, cells // area.columns))
            rows = self._chunk(Area(top, bottom, area.left, area.right))
            size = self._note(top, rows)
            yield top, self._filled(top, bottom, rows) if self._fill else rows
            asked = (bottom - top) * area.columns
            cells = min(_MOST, cells * 4, max(area.columns, asked * _AIM // max(size, 1)))
            top = bottom

    def _chunk(self, area: Area) -> list[Row]:
        self.requests += 1
        body = {
            "dataFilters": [{"gridRange": area.told(self._sheet.id)}],
            "majorDimension": "ROWS",
            "valueRenderOption": "UNFORMATTED_VALUE",
            "dateTimeRenderOption": "SERIAL_NUMBER",
        }
        told = self._ask(Call(f"/spreadsheets/{self._sheet.spreadsheet}/values:batchGetByDataFilter", "POST", {}, body))
        found = told.get("valueRanges") or [{}]
        rows: list[Row] = found[0].get("valueRange", {}).get("values", [])
        return rows

    def _note(self, top: int, rows: Sequence[Row]) -> int:
        """Adds the rows that hold something to the digest, so that how they were cut into chunks does not tell."""
        size = 0
        for at, row in enumerate(rows, top):
            if row:
                told = self._encoder.encode((at, row))
                self._hash.update(told)
                size += len(told)
        return size

    def _filled(self, top: int, bottom: int, rows: list[Row]) -> list[Row]:
        """The value of a merged area's first cell in all of its cells."""
        left = self._sheet.area.left
        for merge in self._sheet.merges:
            here = merge.within(Area(top, bottom, left, self._sheet.area.right))
            if not here.rows or not here.columns:
                continue
            if merge.top >= top and merge.left >= left:
                self._held[merge] = _value(rows, merge.top - top, merge.left - left)
            value = self._held.get(merge, "")
            if value != "":
                _put(rows, here, top, left, value)
        return rows


def _value(rows: Sequence[Row], row: int, column: int) -> Any:
    return rows[row][column] if row < len(rows) and column < len(rows[row]) else ""


def _put(rows: list[Row], area: Area, top: int, left: int, value: Any) -> None:
    while len(rows) < area.bottom - top:
        rows.append([])
    for row in rows[area.top - top : area.bottom - top]:
        row += [""] * (area.right - left - len(row))
        for column in range(area.left - left, area.right - left):
            row[column] = value
