"""What goes to stdout: JSON for programs, lines and tables for people. Everything else goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "counted", "csv_text", "print_json", "say", "table", "value_text"]


PIPED_WIDTH = 160


def print_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=_plain)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):  # sums and counts of DuckDB are whole decimals
        return int(value) if value.as_tuple().exponent == 0 else str(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def csv_text(value: Any) -> Any:
    """A cell of CSV: NULL is nothing, nested values are JSON."""
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else value
    return json.dumps(value, ensure_ascii=False, default=_plain) if isinstance(value, list | dict) else _plain(value)


def counted(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def say(text: str = "") -> None:
    """A line of the answer."""
    print(text)


def console() -> Console:
    """Rich on stdout; piped output is wide and without colours."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH, soft_wrap=True)


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    one_line: bool = False,
) -> Table:
    """A plain table; the columns named in `right` are aligned to the right. `one_line`: cells are cut, not folded."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for name in headers:
        made.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="ellipsis" if one_line else "fold",
            no_wrap=one_line,
        )
    for row in rows:
        made.add_row(*(Text(value_text(value)) for value in row))
    return made


def value_text(value: Any) -> str:
    """One cell: numbers with thousands, timestamps in ISO, one line."""
    if value is None:
        return "NULL"
    if isinstance(value, bool) or not isinstance(value, int):
        return str(_plain(value) if not isinstance(value, str) else value).replace("\n", "⏎")
    return f"{value:,}"
