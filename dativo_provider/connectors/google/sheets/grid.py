"""The sheets of a spreadsheet as they are now: their real size, merged cells, names and zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.google.sheets.area import Area, parsed
from dativo_provider.connectors.rest.client import Call
from dativo_provider.errors import ConfigurationError, SourceChanged

__all__ = ["FIELDS", "Sheet", "Spreadsheet", "chosen", "sheet_of", "spreadsheet_of"]

FIELDS = "spreadsheetId,properties(title,locale,timeZone),namedRanges(name,range),sheets(properties,merges)"
Ask = Callable[[Call], Any]


@dataclass(frozen=True)
class Sheet:
    """`area` is the part that a job reads, at most the whole grid."""

    spreadsheet: str
    id: int
    title: str
    area: Area
    merges: tuple[Area, ...] = ()
    zone: str = "UTC"

    @property
    def path(self) -> str:
        """What it is known by in state: neither its title nor its place ever change this."""
        return f"{self.spreadsheet}/{self.id}"

    @property
    def cells(self) -> int:
        return self.area.rows * self.area.columns


@dataclass(frozen=True)
class Spreadsheet:
    """`sheets` are those of cells; charts and connected data have none."""

    id: str
    title: str
    sheets: tuple[Sheet, ...]
    others: tuple[str, ...]
    named: Mapping[str, Mapping[str, Any]]


def spreadsheet_of(ask: Ask, spreadsheet: str) -> Spreadsheet:
    """One request, of metadata only."""
    told = ask(Call(f"/spreadsheets/{_identity(spreadsheet)}", params={"fields": FIELDS}))
    properties = told.get("properties", {})
    zone = properties.get("timeZone") or "UTC"
    found = told.get("sheets", [])
    grids = [each for each in found if each["properties"].get("sheetType", "GRID") == "GRID"]
    others = tuple(each["properties"]["title"] for each in found if each not in grids)
    named = {each["name"]: each["range"] for each in told.get("namedRanges", [])}
    sheets = tuple(sheet_of(spreadsheet, each, zone) for each in grids)
    return Spreadsheet(spreadsheet, properties.get("title", ""), sheets, others, named)


def _identity(spreadsheet: str) -> str:
    if not spreadsheet or any(char in spreadsheet for char in "/?#%. "):
        raise ConfigurationError(
            f"'{spreadsheet}' is no id of a spreadsheet",
            remedy="take the long part of its address: docs.google.com/spreadsheets/d/<id>/edit",
        )
    return spreadsheet


def sheet_of(spreadsheet: str, told: Mapping[str, Any], zone: str) -> Sheet:
    properties = told["properties"]
    grid = properties.get("gridProperties", {})
    area = Area(0, grid.get("rowCount", 0), 0, grid.get("columnCount", 0))
    merges = tuple(Area.of(each) for each in told.get("merges", ()))
    return Sheet(spreadsheet, properties["sheetId"], properties["title"], area, merges, zone)


def chosen(spreadsheet: Spreadsheet, wanted: str, cells: str) -> list[Sheet]:
    """The sheets that `sheet_id` (a number of the address, a title, a pattern of titles) and `range` mean.

    Raises `ConfigurationError`, and `SourceChanged` when there is none of that name.
    """
    if cells in spreadsheet.named:
        grid = spreadsheet.named[cells]
        whole = _by_id(spreadsheet, int(grid.get("sheetId", 0)))
        return [_part(whole, Area.of(dict(grid)))]
    title, area = parsed(cells) if cells else ("", Area())
    found = _matching(spreadsheet, wanted or title)
    return [_part(sheet, area) for sheet in found]


def _part(sheet: Sheet, area: Area) -> Sheet:
    return Sheet(sheet.spreadsheet, sheet.id, sheet.title, area.within(sheet.area), sheet.merges, sheet.zone)


def _matching(spreadsheet: Spreadsheet, wanted: str) -> Sequence[Sheet]:
    sheets = spreadsheet.sheets
    if not wanted:
        return sheets[:1] or _none(spreadsheet, wanted)
    exact = [each for each in sheets if each.title == wanted]
    numbered = [each for each in sheets if str(each.id) == wanted]
    pattern = [each for each in sheets if fnmatchcase(each.title, wanted)] if set("*?[") & set(wanted) else []
    return exact or numbered or pattern or _none(spreadsheet, wanted)


def _by_id(spreadsheet: Spreadsheet, number: int) -> Sheet:
    return next((each for each in spreadsheet.sheets if each.id == number), None) or _none(spreadsheet, str(number))[0]


def _none(spreadsheet: Spreadsheet, wanted: str) -> Sequence[Sheet]:
    if wanted in spreadsheet.others:
        raise ConfigurationError(
            f"'{wanted}' holds a chart or connected data, no cells", where=spreadsheet.id, remedy="name another sheet"
        )
    titles = [each.title for each in spreadsheet.sheets]
    hint = did_you_mean(wanted, titles) or f"it has: {listed(titles)}"
    raise SourceChanged(f"the spreadsheet has no sheet '{wanted}'", where=spreadsheet.id, remedy=hint)
