"""Rectangles of cells, and their A1 notation: https://developers.google.com/workspace/sheets/api/guides/concepts"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dativo_provider.errors import ConfigurationError

__all__ = ["Area", "letters", "parsed"]

_CORNER = re.compile(r"\$?([A-Za-z]{0,3})\$?(\d*)")
_FAR = 1 << 31


@dataclass(frozen=True)
class Area:
    """Rows `top` to below `bottom` and columns `left` to before `right`, counted from 0."""

    top: int = 0
    bottom: int = _FAR
    left: int = 0
    right: int = _FAR

    @property
    def rows(self) -> int:
        return max(0, self.bottom - self.top)

    @property
    def columns(self) -> int:
        return max(0, self.right - self.left)

    def within(self, other: Area) -> Area:
        return Area(max(self.top, other.top), min(self.bottom, other.bottom), max(self.left, other.left),
                    min(self.right, other.right))  # fmt: skip

    def told(self, sheet: int) -> dict[str, int]:
        """As the API's GridRange."""
        return {
            "sheetId": sheet, "startRowIndex": self.top, "endRowIndex": self.bottom,
            "startColumnIndex": self.left, "endColumnIndex": self.right,
        }  # fmt: skip

    @classmethod
    def of(cls, grid: dict[str, Any]) -> Area:
        """A GridRange: a missing index is unbounded."""
        return cls(grid.get("startRowIndex", 0), grid.get("endRowIndex", _FAR), grid.get("startColumnIndex", 0),
                   grid.get("endColumnIndex", _FAR))  # fmt: skip


def letters(column: int) -> str:
    """The name of a column counted from 0: A, Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def parsed(text: str) -> tuple[str, Area]:
    """The title (empty: none) and the cells of `'Title'!A1:C9`, `A:C`, `2:9` or `A1`. Raises `ConfigurationError`."""
    title, _, cells = text.rpartition("!")
    if title.startswith("'") and title.endswith("'"):
        title = title[1:-1].replace("''", "'")
    first, colon, last = cells.partition(":")
    begin, end = _CORNER.fullmatch(first.strip()), _CORNER.fullmatch(last.strip() if colon else first.strip())
    if not begin or not end or not first.strip() or (colon and not last.strip()):
        raise ConfigurationError(
            f"'{text}' is no range of cells", where="range", remedy="write it as A1:F, A2:F100, A:F, or a named range"
        )
    return title, Area(
        int(begin[2]) - 1 if begin[2] else 0,
        int(end[2]) if end[2] else _FAR,
        _column(begin[1]) if begin[1] else 0,
        _column(end[1]) + 1 if end[1] else _FAR,
    )


def _column(name: str) -> int:
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
