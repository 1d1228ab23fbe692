"""What number formats say that the numbers of a column are: a date is a number like any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from dativo_provider.connectors.google.sheets.area import Area
from dativo_provider.connectors.google.sheets.grid import Sheet
from dativo_provider.connectors.google.sheets.header import Header
from dativo_provider.connectors.rest.client import Call

__all__ = ["formats_of"]

_LOOKED_AT = 50  # rows
_FIELDS = "sheets.data.rowData.values(effectiveFormat.numberFormat.type,effectiveValue.numberValue)"


def formats_of(ask: Callable[[Call], Any], sheet: Sheet, header: Header) -> dict[str, str]:
    """The format of most numbers in the first rows, by column. One request."""
    area = Area(header.row, header.row + _LOOKED_AT, sheet.area.left, sheet.area.right).within(sheet.area)
    if not area.rows or not area.columns:
        return {}
    body = {"dataFilters": [{"gridRange": area.told(sheet.id)}], "includeGridData": True}
    told = ask(Call(f"/spreadsheets/{sheet.spreadsheet}:getByDataFilter", "POST", {"fields": _FIELDS}, body))
    found: dict[str, Counter[str]] = {}
    for row in _rows(told):
        for at, cell in enumerate(row.get("values", [])):
            if at in header.names and "numberValue" in cell.get("effectiveValue", {}):
                format_ = cell.get("effectiveFormat", {}).get("numberFormat", {}).get("type", "NUMBER")
                found.setdefault(header.names[at], Counter())[format_] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in found.items()}


def _rows(told: Any) -> list[dict[str, Any]]:
    """Of the one sheet that was asked for."""
    data = [each for sheet in told.get("sheets", []) for each in sheet.get("data", [])]
    return [row for each in data for row in each.get("rowData", [])]
