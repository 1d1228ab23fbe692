"""Markdown for Airflow's documentation pane. What tenants wrote is shown as text, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["code", "table", "text"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def text(value: object) -> str:
    """`value` on one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def code(value: object) -> str:
    """`value` in a code span, usable in a table cell. A backtick would end the span, so it is replaced."""
    line = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return f"`{line}`" if line else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells must be escaped already. Empty without rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) + "\n" if lines else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
