"""The names of a sheet's columns, and the row its data begins in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from dativo_provider.connectors.google.sheets.area import letters
from dativo_provider.connectors.google.sheets.grid import Sheet
from dativo_provider.connectors.google.sheets.options import SheetOptions
from dativo_provider.connectors.google.sheets.rows import Row
from dativo_provider.errors import DataError

__all__ = ["Header", "headed", "plain"]

Chunk = tuple[int, list[Row]]


@dataclass(frozen=True)
class Header:
    """`names` by place in a row, counted from the left of the area; `row` is the first of the data, from 0."""

    names: Mapping[int, str]
    row: int

    def place(self, name: str) -> int:
        return next(at for at, each in self.names.items() if each == name)


def headed(sheet: Sheet, options: SheetOptions, chunks: Iterator[Chunk]) -> tuple[Header | None, Iterator[Chunk]]:
    """The header, and all chunks again from the first. None when the sheet is blank.

    A column without a name has one, `column_<letter>`, when the first chunk has a value below. Raises `DataError`.
    """
    seen: list[Chunk] = []
    for chunk in chunks:
        seen.append(chunk)
        rows = _numbered(seen)
        start = _start(options, rows)
        if start is not None and (start + options.header_rows <= chunk[0] + len(chunk[1]) or _ended(sheet, chunk)):
            return _header(sheet, options, dict(rows), start), chain(seen, chunks)
    rows = _numbered(seen)
    start = _start(options, rows)
    return (None if start is None else _header(sheet, options, dict(rows), start)), iter(seen)


def _ended(sheet: Sheet, chunk: Chunk) -> bool:
    return chunk[0] + len(chunk[1]) >= sheet.area.bottom


def _numbered(chunks: Sequence[Chunk]) -> list[tuple[int, Row]]:
    return [(top + at, row) for top, rows in chunks for at, row in enumerate(rows)]


def _start(options: SheetOptions, rows: Iterable[tuple[int, Row]]) -> int | None:
    """The first row of the header, or of the data where there is none."""
    if options.header_row:
        first = options.header_row - 1
        return first if any(at >= first for at, _ in rows) else None
    return next((at for at, row in rows if any(cell != "" for cell in row)), None)


def _header(sheet: Sheet, options: SheetOptions, rows: Mapping[int, Row], start: int) -> Header:
    data = start + (options.header_rows if options.header else 0)
    below = [row for at, row in rows.items() if at >= data]
    filled = {at for row in below for at, cell in enumerate(row) if cell != ""}
    if options.column_names:
        return Header(dict(enumerate(options.column_names[: sheet.area.columns])), data)
    said = _said(sheet, options, rows, start) if options.header else {}
    places = sorted(filled | said.keys())
    names = {at: said.get(at) or f"column_{letters(sheet.area.left + at)}" for at in places}
    return Header(_unique(sheet, options, names), data)


def _said(sheet: Sheet, options: SheetOptions, rows: Mapping[int, Row], start: int) -> dict[int, str]:
    """The names of the header's own cells. Of several rows the parts are joined, merged ones over their width."""
    parts: dict[int, list[str]] = {}
    for number in range(start, start + options.header_rows):
        for at in range(sheet.area.columns):
            part = _cell(rows, number, at)
            if not part and options.header_rows > 1:
                part = _merged(sheet, rows, number, at)
            if part and part not in parts.setdefault(at, []):
                parts[at].append(part)
    return {at: " / ".join(each) for at, each in parts.items() if each}


def _cell(rows: Mapping[int, Row], number: int, at: int) -> str:
    row = rows.get(number, [])
    return " ".join(plain(row[at]).split()) if at < len(row) else ""


def _merged(sheet: Sheet, rows: Mapping[int, Row], number: int, at: int) -> str:
    column = sheet.area.left + at
    for merge in sheet.merges:
        if merge.top <= number < merge.bottom and merge.left <= column < merge.right:
            return _cell(rows, merge.top, merge.left - sheet.area.left) if merge.left >= sheet.area.left else ""
    return ""


def _unique(sheet: Sheet, options: SheetOptions, names: Mapping[int, str]) -> Mapping[int, str]:
    twice = {name for name, count in Counter(names.values()).items() if count > 1}
    if not twice:
        return names
    if options.duplicate_headers == "letter":
        return {at: f"{name}_{letters(sheet.area.left + at)}" if name in twice else name for at, name in names.items()}
    raise DataError(
        f"the header names {', '.join(repr(name) for name in sorted(twice))} more than once",
        where=f"{sheet.path} ({sheet.title})",
        remedy="rename the columns in the sheet, set duplicate_headers: letter, or give `column_names`",
    )


def plain(value: Any) -> str:
    """A cell as text: numbers without exponent and trailing zeros, truth as the sheet shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
