"""Entries as a CSV sheet that a person edits: export, change cells, import. Only changed cells become a fix.

An empty cell is NULL (an empty text, too: set that with `--set "column = ''"`).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.inbox import Acted, Entry, Selection
from dativo_provider.pipeline.inbox.actions import write
from dativo_provider.pipeline.inbox.box import Box
from dativo_provider.pipeline.inbox.expressions import columns_of
from dativo_provider.pipeline.inbox.log import Line
from dativo_provider.pipeline.inbox.values import text_of
from dativo_provider.pipeline.inbox.view import entries

__all__ = ["export", "take"]

KEYS = ("_run", "_row_id", "_reasons", "_raw")
_MOST = 1_000_000  # rows of one sheet, held while the inbox is read beside them


def export(box: Box, selection: Selection, path: Path) -> int:
    """Writes the selected rows with their values as they would be replayed; how many rows that are."""
    names: dict[str, None] = dict.fromkeys(item.name for item in columns_of(box))
    for entry in entries(box, selection):
        names.update(dict.fromkeys(entry.values or ()))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*KEYS, *names])
        count = 0
        for entry in entries(box, selection):
            writer.writerow(_cells(entry, list(names)))
            count += 1
    return count


def _cells(entry: Entry, names: Sequence[str]) -> list[str]:
    raw = entry.raw if entry.original is None else ""
    values = entry.values or {}
    return [entry.run, entry.row_id, "; ".join(entry.reasons), raw, *(text_of(values.get(n)) or "" for n in names)]


def take(box: Box, path: Path, by: str, note: str = "") -> Acted:
    """Rows of the sheet that differ from the inbox become fixes and reviewed; the others are left alone.

    Raises `ConfigurationError` for a sheet that is none, or that names a row twice.
    """
    sheet, skipped = _read(path), Counter[str]()
    acted = write(box, _changed(box, sheet, note, skipped), by, skipped)
    if sheet:
        skipped["not open in the inbox"] += len(sheet)
    return Acted(acted.action, acted.rows, dict(skipped))


def _read(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := [key for key in KEYS[:2] if key not in (reader.fieldnames or ())]:
            raise _refused(path, 1, f"has no column {' and '.join(missing)}", "import a sheet that `export` wrote")
        return _rows(path, reader)


def _rows(path: Path, reader: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for number, row in enumerate(reader, 2):
        key = (row[KEYS[0]], row[KEYS[1]])
        if None in row or None in row.values():
            raise _refused(path, number, "has another number of cells than the header", "quote cells with commas")
        if key in found:
            raise _refused(path, number, "names a row a second time", "keep one line for each row")
        if len(found) == _MOST:
            raise _refused(path, number, f"is beyond {_MOST:,} rows", "import it in parts")
        found[key] = {name: cell for name, cell in row.items() if name not in KEYS}
    return found


def _refused(path: Path, line: int, problem: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"the sheet {problem}", where=f"{path}:{line}", remedy=remedy)


def _changed(
    box: Box, sheet: dict[tuple[str, str], dict[str, str]], note: str, skipped: Counter[str]
) -> Iterator[Line]:
    """Takes what it finds out of `sheet`."""
    for entry in entries(box, Selection()):
        cells = sheet.pop((entry.run, entry.row_id), None)
        if cells is None:
            continue
        before = entry.values or {}
        edited = {n: cell or None for n, cell in cells.items() if cell != (text_of(before.get(n)) or "")}
        if edited:
            yield Line(entry, "reviewed", {**entry.fix, **edited}, note)
        else:
            skipped["unchanged"] += 1
