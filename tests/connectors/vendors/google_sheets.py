"""A fake of the Google Sheets API, and of the two facts that Drive tells of a spreadsheet. Its rules:

- reads 60 a minute and user, more: 429. https://developers.google.com/workspace/sheets/api/limits
- values leave out trailing blank rows and cells, blank cells in the middle are ""; UNFORMATTED_VALUE gives numbers,
  booleans, text; dates are serial numbers. https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values
- the grid has the size it has (1000 x 26 when new), not that of its data; `sheetId` never changes; merged cells hold
  their value in the first. https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/sheets
- a range beyond the grid is 400. https://github.com/airbytehq/airbyte/issues/1740
- batchUpdate: all of it or nothing, in order; a sheet that is not there, or a title
  that is, is wrong; ten million cells a spreadsheet. https://developers.google.com/workspace/sheets/api/guides/batch
- `version` of Drive grows with every change. https://developers.google.com/workspace/drive/api/reference/rest/v3/files
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.connectors.vendors.google import Google, refusal
from tests.connectors.vendors.vendor import Answer, Asked, Quota, route

__all__ = ["BOOK", "GoogleSheets", "Tab"]

BOOK = "1spreadsheet_of-tests"
Cell = Any


@dataclass
class Tab:
    """`cells` by row; `formats` are number formats by column."""

    id: int
    title: str
    cells: list[list[Cell]] = field(default_factory=list)
    rows: int = 1000
    columns: int = 26
    kind: str = "GRID"
    hidden: bool = False
    merges: list[dict[str, int]] = field(default_factory=list)
    formats: dict[int, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    frozen: int = 0

    def properties(self, index: int) -> dict[str, Any]:
        told = {"sheetId": self.id, "title": self.title, "index": index, "sheetType": self.kind, "hidden": self.hidden}
        grid = {"gridProperties": {"rowCount": self.rows, "columnCount": self.columns, "frozenRowCount": self.frozen}}
        return told | (grid if self.kind == "GRID" else {})

    def values(self, area: dict[str, int]) -> list[list[Cell]]:
        left, right = area.get("startColumnIndex", 0), area.get("endColumnIndex", self.columns)
        found = [list(row[left:right]) for row in self.cells[area.get("startRowIndex", 0) : area.get("endRowIndex")]]
        for row in found:
            while row and row[-1] == "":
                row.pop()
        while found and not found[-1]:
            found.pop()
        return found

    def put(self, top: int, left: int, values: Sequence[Sequence[Cell]]) -> None:
        """null keeps what a cell has, "" empties it."""
        while len(self.cells) < top + len(values):
            self.cells.append([])
        for row, given in zip(self.cells[top:], values, strict=False):
            row += [""] * (left + len(given) - len(row))
            for at, cell in enumerate(given, left):
                row[at] = row[at] if cell is None else cell

    def grow(self) -> None:
        self.rows = max(self.rows, len(self.cells))
        self.columns = max(self.columns, *(len(row) for row in self.cells), 1)


class GoogleSheets(Google):
    """One spreadsheet. `forbidden` may name `drive.metadata.readonly` and `spreadsheets.readonly`."""

    def __init__(self) -> None:
        super().__init__()
        self.tabs: list[Tab] = [Tab(0, "Sheet1")]
        self.named: dict[str, dict[str, int]] = {}
        self.zone = "Etc/UTC"
        self.office = False
        self.version = 1
        self.modified = self.clock.now()
        refused = refusal(
            429, "Quota exceeded for quota metric 'Read requests'", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"
        )
        self.quotas = [Quota(60, 60, refused, _reads), Quota(60, 60, refused, _writes)]

    # what people do -----------------------------------------------------------------------------------------

    def edit(self, tab: Tab | None = None, cells: Sequence[Sequence[Cell]] | None = None) -> None:
        """Somebody changes something now; `cells` become those of `tab`."""
        if tab is not None and cells is not None:
            tab.cells = [list(row) for row in cells]
            tab.grow()
        self.version += 1
        self.modified = self.clock.now()

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[Any]:
        tab = self.tabs[0]
        tab.cells = tab.cells or [["id", "name"]]
        first = len(tab.cells)
        tab.cells += [[number, f"row {number}"] for number in range(first, first + count)]
        tab.grow()
        self.edit()
        return list(range(first, first + count))

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for row in self.tabs[0].cells[1:]:
            if row[0] in keys:
                row[1] = f"{row[1]} again"
        self.edit()

    def scope(self, stream: str) -> str:
        return "spreadsheets.readonly"

    # Sheets -------------------------------------------------------------------------------------------------

    @route("/v4/spreadsheets/{book}")
    def get(self, asked: Asked, book: str) -> Answer:
        if refused := self._refusal(book):
            return refused
        sheets = [
            {
                "properties": tab.properties(index),
                **({"merges": tab.merges} if tab.merges else {}),
                "developerMetadata": [
                    {"metadataKey": key, "metadataValue": value} for key, value in tab.metadata.items()
                ],
            }
            for index, tab in enumerate(self.tabs)
        ]
        named = [{"name": name, "range": grid} for name, grid in self.named.items()]
        properties = {"title": "Tests", "locale": "de_DE", "timeZone": self.zone}
        told: dict[str, Any] = {"spreadsheetId": book, "properties": properties, "sheets": sheets}
        return Answer(body=told | ({"namedRanges": named} if named else {}))

    @route("/v4/spreadsheets/{book}/values:batchGetByDataFilter", "POST")
    def values(self, asked: Asked, book: str) -> Answer:
        if refused := self._refusal(book):
            return refused
        assert asked.body["valueRenderOption"] == "UNFORMATTED_VALUE", "text in the locale of the spreadsheet"
        found = []
        for each in asked.body["dataFilters"]:
            grid = each["gridRange"]
            tab = self._tab(grid)
            if tab is None:
                return refusal(400, f"No grid with id: {grid.get('sheetId')}", "INVALID_ARGUMENT")
            if grid.get("endRowIndex", 0) > tab.rows or grid.get("endColumnIndex", 0) > tab.columns:
                return refusal(
                    400, f"Range ({tab.title}!{grid['startRowIndex'] + 1}:{grid['endRowIndex']}) exceeds grid limits. "
                    f"Max rows: {tab.rows}, max columns: {tab.columns}", "INVALID_ARGUMENT",
                )  # fmt: skip
            values = tab.values(grid)
            self.sent += len(values)
            told = {"range": tab.title, "majorDimension": "ROWS", **({"values": values} if values else {})}
            found.append({"valueRange": told, "dataFilters": [each]})
        return Answer(body={"spreadsheetId": book, "valueRanges": found})

    @route("/v4/spreadsheets/{book}:getByDataFilter", "POST")
    def data(self, asked: Asked, book: str) -> Answer:
        if refused := self._refusal(book):
            return refused
        grid = asked.body["dataFilters"][0]["gridRange"]
        tab = self._tab(grid)
        assert tab is not None
        assert asked.body["includeGridData"]
        rows = [
            {"values": [_cell(value, tab.formats.get(at, "")) for at, value in enumerate(row)]}
            for row in tab.values(grid)
        ]
        return Answer(body={"sheets": [{"data": [{"rowData": rows}] if rows else [{}]}]})

    # writing ------------------------------------------------------------------------------------------------

    @route("/v4/spreadsheets/{book}/values:batchUpdateByDataFilter", "POST")
    def write(self, asked: Asked, book: str) -> Answer:
        if refused := self._refusal(book) or self._read_only():
            return refused
        assert asked.body["valueInputOption"] == "RAW", "text that looks like a formula would become one"
        for each in asked.body["data"]:
            grid, values = each["dataFilter"]["gridRange"], each["values"]
            tab = self._tab(grid)
            if tab is None or grid["endRowIndex"] > tab.rows or grid["endColumnIndex"] > tab.columns:
                return refusal(400, "Range (x) exceeds grid limits.", "INVALID_ARGUMENT")
            if any(len(cell) > 50_000 for row in values for cell in row if isinstance(cell, str)):
                return refusal(400, "Your input contains more than the maximum of 50000 characters", "INVALID_ARGUMENT")
            tab.put(grid["startRowIndex"], grid["startColumnIndex"], values)
        self.edit()
        return Answer(body={"spreadsheetId": book})

    @route("/v4/spreadsheets/{book}:batchUpdate", "POST")
    def update(self, asked: Asked, book: str) -> Answer:
        """All of it or nothing."""
        if refused := self._refusal(book) or self._read_only():
            return refused
        before = deepcopy(self.tabs)
        for number, request in enumerate(asked.body["requests"]):
            [(name, told)] = request.items()
            if wrong := getattr(self, f"_{name}")(told):
                self.tabs = before
                return refusal(400, f"Invalid requests[{number}].{name}: {wrong}", "INVALID_ARGUMENT")
        if sum(tab.rows * tab.columns for tab in self.tabs) > 10_000_000:
            self.tabs = before
            return refusal(400, "This action would increase the number of cells above the limit of 10000000 cells.")
        self.edit()
        return Answer(body={"spreadsheetId": book, "replies": []})

    def _addSheet(self, told: Any) -> str:  # noqa: N802 - as the API says it
        properties = told["properties"]
        id = properties.get("sheetId", max(tab.id for tab in self.tabs) + 1)
        if any(tab.title == properties["title"] or tab.id == id for tab in self.tabs):
            return "A sheet with that name or id already exists."
        grid = properties.get("gridProperties", {})
        size = {"rows": grid.get("rowCount", 1000), "columns": grid.get("columnCount", 26)}
        self.tabs.append(Tab(id, properties["title"], hidden=properties.get("hidden", False), **size))
        return ""

    def _deleteSheet(self, told: Any) -> str:  # noqa: N802
        tab = self._tab(told)
        if tab is None:
            return f"No sheet with id: {told['sheetId']}"
        self.tabs.remove(tab)
        return ""

    def _updateSheetProperties(self, told: Any) -> str:  # noqa: N802
        properties, tab = told["properties"], self._tab(told["properties"])
        if tab is None:
            return "No sheet with that id"
        title, grid = properties.get("title", tab.title), properties["gridProperties"]
        if any(each.title == title and each is not tab for each in self.tabs):
            return "A sheet with that name already exists."
        if grid["rowCount"] <= tab.frozen:
            return "You can't delete all the rows that are not frozen."
        tab.title, tab.rows, tab.columns = title, grid["rowCount"], grid["columnCount"]
        tab.cells = [row[: tab.columns] for row in tab.cells[: tab.rows]]
        return ""

    def _updateCells(self, told: Any) -> str:  # noqa: N802
        tab = self._tab(told["range"])
        if tab is None:
            return "No grid with that id"
        assert (told["fields"], told.get("rows")) == ("userEnteredValue", None), "the fake only clears whole sheets"
        tab.cells = []
        return ""

    def _copyPaste(self, told: Any) -> str:  # noqa: N802
        source, target = self._tab(told["source"]), self._tab(told["destination"])
        if source is None or target is None or told["destination"]["endRowIndex"] > target.rows:
            return "outside of the grid"
        target.put(told["destination"]["startRowIndex"], 0, source.values(told["source"]))
        return ""

    def _repeatCell(self, told: Any) -> str:  # noqa: N802
        tab = self._tab(told["range"])
        if tab is None:
            return "No grid with that id"
        tab.formats[told["range"]["startColumnIndex"]] = told["cell"]["userEnteredFormat"]["numberFormat"]["type"]
        return ""

    def _createDeveloperMetadata(self, told: Any) -> str:  # noqa: N802
        told = told["developerMetadata"]
        tab = self._tab(told["location"])
        if tab is None:
            return "No sheet with that id"
        tab.metadata[told["metadataKey"]] = told["metadataValue"]
        return ""

    def _read_only(self) -> Answer | None:
        if "spreadsheets" not in self.forbidden:
            return None
        reason = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        return refusal(403, "Request had insufficient authentication scopes.", "PERMISSION_DENIED", reason)

    def _tab(self, grid: dict[str, int]) -> Tab | None:
        return next((tab for tab in self.tabs if tab.id == grid.get("sheetId", 0)), None)

    def _refusal(self, book: str) -> Answer | None:
        if book != BOOK:
            return refusal(404, "Requested entity was not found.", "NOT_FOUND")
        if "spreadsheets.readonly" in self.forbidden:
            reason = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            return refusal(403, "Request had insufficient authentication scopes.", "PERMISSION_DENIED", reason)
        if self.office:
            return refusal(400, "This operation is not supported for this document", "FAILED_PRECONDITION")
        return None

    # Drive --------------------------------------------------------------------------------------------------

    @route("/drive/v3/files/{book}")
    def file(self, asked: Asked, book: str) -> Answer:
        if "drive.metadata.readonly" in self.forbidden:
            reason = "insufficientPermissions"
            return refusal(403, "Request had insufficient authentication scopes.", "PERMISSION_DENIED", reason)
        told = {"version": str(self.version), "modifiedTime": self.modified.isoformat(timespec="milliseconds")}
        return Answer(body={name: told[name] for name in asked.query["fields"].split(",")})


_WRITES = (":batchUpdate", ":batchUpdateByDataFilter")


def _writes(asked: Asked) -> bool:
    return asked.path.startswith("/v4/") and asked.path.endswith(_WRITES)


def _reads(asked: Asked) -> bool:
    return asked.path.startswith("/v4/") and not asked.path.endswith(_WRITES)


def _cell(value: Cell, format_: str) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {"effectiveValue": {"stringValue": str(value)}} if value != "" else {}
    told: dict[str, Any] = {"effectiveValue": {"numberValue": value}}
    return told | ({"effectiveFormat": {"numberFormat": {"type": format_}}} if format_ else {})
