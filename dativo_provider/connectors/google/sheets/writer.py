"""Makes a sheet show a version of a table: written aside, then taken over in one request.

https://developers.google.com/workspace/sheets/api/guides/batch - all of a `batchUpdate` happens, or nothing, so people
see the rows of before or of after. The hidden sheet that the rows were written to stays, cut to one cell, as the mark
of the version; the next take-over deletes it, which fails when another writer has done so: nobody overwrites a
version that came later than the one he saw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from dativo_provider.connectors.google.sheets.area import Area
from dativo_provider.connectors.google.sheets.cells import Cell, format_of, rows_of
from dativo_provider.connectors.google.sheets.grid import sheet_of
from dativo_provider.connectors.google.sheets.reader import SheetsReader
from dativo_provider.connectors.google.sheets.rows import Cells
from dativo_provider.connectors.rest.client import Call
from dativo_provider.errors import ConfigurationError, DataError, RetryableError, SourceChanged
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SheetWriter", "Shown"]

_KEY = "dativo.version"
_FIELDS = "properties(timeZone),sheets(properties,developerMetadata(metadataKey,metadataValue))"
_MOST = 10_000_000  # cells of a spreadsheet
_PAYLOAD = 2_000_000  # bytes of a request: what Google's limits page advises
_TRIES = 3
_WRITE = ("write",)


@dataclass(frozen=True)
class Shown:
    """What a sheet shall show: `version` names it, `batches` gives its rows anew each time, at most `rows`."""

    version: str
    fields: Sequence[Field]
    rows: int
    batches: Callable[[], Iterable[pa.RecordBatch]]


@dataclass(frozen=True)
class _Book:
    zone: str
    sheets: Sequence[Mapping[str, Any]]

    def titled(self, title: str) -> Mapping[str, Any] | None:
        return next((each for each in self.sheets if each["properties"]["title"] == title), None)

    def cells(self, without: Iterable[int]) -> int:
        left_out = set(without)
        grids = [each["properties"].get("gridProperties", {}) for each in self.sheets
                 if each["properties"]["sheetId"] not in left_out]  # fmt: skip
        return sum(grid.get("rowCount", 0) * grid.get("columnCount", 0) for grid in grids)


class SheetWriter(SheetsReader):
    """One sheet, by its title, in one spreadsheet, written by nobody else."""

    def aimed(self, spreadsheet: str, title: str) -> SheetWriter:
        self._spreadsheet, self._title = spreadsheet, title
        return self

    def prepare(self) -> None:
        """Makes the sheet where there is none. Raises `ConfigurationError` when it holds what others wrote."""
        with self.border():
            book = self._book()
            found = book.titled(self._title)
            if found is None:
                self._make()
            elif self._marked(book) is None and self._holds(found, book):
                raise ConfigurationError(
                    f"the sheet '{self._title}' holds something that this job did not write", where=self._spreadsheet,
                    remedy="clear it, or name another sheet in target.connection.sheet",
                )  # fmt: skip

    def _make(self) -> None:
        try:
            self._update([{"addSheet": {"properties": {"title": self._title}}}])
        except ConfigurationError:  # the answer to the first try was lost, or another run was first
            if self._book().titled(self._title) is None:
                raise

    def show(self, latest: Callable[[], Shown]) -> None:
        """Does nothing when the sheet shows that version already, whoever made it.

        `latest` loads the table anew. It is asked after the sheet: what it gives is no older than what is shown there.
        """
        with self.border():
            for attempt in range(1, _TRIES + 1):
                book, shown = self._book(), latest()
                if self._marked(book) == shown.version:
                    return
                try:
                    self._replace(book, shown)
                except (ConfigurationError, SourceChanged, RetryableError):
                    # the answer may have been lost, or another writer was first: the mark tells
                    if attempt == _TRIES and self._marked(self._book()) != shown.version:
                        raise

    # what is there ------------------------------------------------------------------------------------------

    def _book(self) -> _Book:
        told = self._ask(Call(f"/spreadsheets/{self._spreadsheet}", params={"fields": _FIELDS}))
        return _Book(told.get("properties", {}).get("timeZone") or "Etc/UTC", told.get("sheets", []))

    @property
    def _mark(self) -> str:
        return f"_dativo {self._title}"

    def _marked(self, book: _Book) -> str | None:
        mark = book.titled(self._mark)
        told = {each["metadataKey"]: each["metadataValue"] for each in (mark or {}).get("developerMetadata", ())}
        return told.get(_KEY)

    def _holds(self, told: Mapping[str, Any], book: _Book) -> bool:
        """Whether a cell has a value; a large sheet is read no further than to the first."""
        if told["properties"].get("sheetType", "GRID") != "GRID":
            return True
        return any(rows for _, rows in Cells(self._ask, sheet_of(self._spreadsheet, told, book.zone)))

    # a new version ------------------------------------------------------------------------------------------

    def _replace(self, book: _Book, shown: Shown) -> None:
        aside = int.from_bytes(hashlib.sha256(f"{self._title}\0{shown.version}".encode()).digest()[:4]) >> 1
        self._begin(book, shown, aside)
        count = self._fill(book, shown, aside)
        self._update(list(self._taking_over(book, shown, aside, count)))

    def _begin(self, book: _Book, shown: Shown, aside: int) -> None:
        """An empty hidden sheet for the rows, in place of what writers that died have left."""
        left = [each["properties"]["sheetId"] for each in book.sheets
                if each["properties"]["title"].startswith(f"{self._mark} ~")]  # fmt: skip
        target = book.titled(self._title)
        width = len(shown.fields)
        ours = [*left, target["properties"]["sheetId"]] if target else left
        if book.cells(without=ours) + 2 * (shown.rows + 2) * width > _MOST:
            raise DataError(
                f"{shown.rows} rows of {width} columns are too many for the spreadsheet: it holds {_MOST:,} cells, and "
                "each is needed twice for a moment", where=self._spreadsheet,
                remedy="write less (a filter, fewer columns), or use another spreadsheet",
            )  # fmt: skip
        grid = {"rowCount": shown.rows + 2, "columnCount": width}
        properties = {"sheetId": aside, "title": f"{self._mark} ~{aside}", "hidden": True, "gridProperties": grid}
        made = [] if target else [{"addSheet": {"properties": {"title": self._title}}}]
        gone = [{"deleteSheet": {"sheetId": each}} for each in left]
        self._update([*gone, *made, {"addSheet": {"properties": properties}}])

    def _fill(self, book: _Book, shown: Shown, aside: int) -> int:
        """Writes header and rows to fixed places, so that a request made twice changes nothing; the number of rows."""
        at = 0
        for rows in _pieces(self._rows(book, shown)):
            area = Area(at, at + len(rows), 0, len(shown.fields))
            data = [{"dataFilter": {"gridRange": area.told(aside)}, "majorDimension": "ROWS", "values": rows}]
            body = {"valueInputOption": "RAW", "data": data}
            path = f"/spreadsheets/{self._spreadsheet}/values:batchUpdateByDataFilter"
            self._ask(Call(path, "POST", {}, body), _WRITE)
            at += len(rows)
        return at - 1

    def _rows(self, book: _Book, shown: Shown) -> Iterator[list[Cell]]:
        yield [field.name for field in shown.fields]
        for batch in shown.batches():
            self.ctx.check_cancelled()
            yield from rows_of(batch, shown.fields, book.zone)

    def _taking_over(self, book: _Book, shown: Shown, aside: int, count: int) -> Iterator[dict[str, Any]]:
        target = book.titled(self._title) or self._book().titled(self._title)
        assert target is not None  # made in `_begin`
        sheet, mark = target["properties"]["sheetId"], book.titled(self._mark)
        frozen = target["properties"].get("gridProperties", {}).get("frozenRowCount", 0)
        area = Area(0, count + 1, 0, len(shown.fields))
        size = {"rowCount": max(count + 1, frozen + 1, 2), "columnCount": area.right}
        yield _sized(sheet, size)
        yield {"updateCells": {"range": {"sheetId": sheet}, "fields": "userEnteredValue"}}
        source, destination = area.told(aside), area.told(sheet)
        yield {"copyPaste": {"source": source, "destination": destination, "pasteType": "PASTE_VALUES"}}
        for place, field in enumerate(shown.fields):
            if told := format_of(field):
                yield {"repeatCell": {
                    "range": Area(1, max(count + 1, 2), place, place + 1).told(sheet),
                    "cell": {"userEnteredFormat": {"numberFormat": dict(told)}},
                    "fields": "userEnteredFormat.numberFormat",
                }}  # fmt: skip
        if mark is not None:
            yield {"deleteSheet": {"sheetId": mark["properties"]["sheetId"]}}
        yield _sized(aside, {"rowCount": 1, "columnCount": 1}, title=self._mark)
        yield {"createDeveloperMetadata": {"developerMetadata": {
            "metadataKey": _KEY, "metadataValue": shown.version, "visibility": "DOCUMENT",
            "location": {"sheetId": aside},
        }}}  # fmt: skip

    def _update(self, requests: list[dict[str, Any]]) -> None:
        call = Call(f"/spreadsheets/{self._spreadsheet}:batchUpdate", "POST", {}, {"requests": requests})
        self._ask(call, _WRITE)


def _sized(sheet: int, size: Mapping[str, int], title: str = "") -> dict[str, Any]:
    told = {"sheetId": sheet, "gridProperties": dict(size), **({"title": title} if title else {})}
    fields = "gridProperties(rowCount,columnCount)" + (",title" if title else "")
    return {"updateSheetProperties": {"properties": told, "fields": fields}}


def _pieces(rows: Iterable[list[Cell]]) -> Iterator[list[list[Cell]]]:
    """Of about two megabytes each."""
    held, size = list[list[Cell]](), 0
    for row in rows:
        held.append(row)
        size += len(msgspec.json.encode(row))
        if size >= _PAYLOAD:
            yield held
            held, size = [], 0
    if held:
        yield held
