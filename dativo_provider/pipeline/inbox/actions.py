"""What people do about entries: correct, mark and discard them. Each is one commit of lines to the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.inbox import Acted, Entry, Selection
from dativo_provider.model.run import new_id
from dativo_provider.pipeline.inbox.box import Box
from dativo_provider.pipeline.inbox.expressions import Expressions, lots
from dativo_provider.pipeline.inbox.log import Line, batches
from dativo_provider.pipeline.inbox.view import entries
from dativo_provider.vocabulary import EntryStatus

__all__ = ["assignments", "discard", "fix", "mark", "write"]


def write(box: Box, lines: Iterable[Line], by: str, skipped: Counter[str] | None = None) -> Acted:
    """Appends `lines` as one action; nothing at all when there are none."""
    now = box.ctx.now()
    action = new_id(now)
    rows = box.tables.append(action, batches(lines, action, box.spec.name, by, now))
    return Acted(action if rows else "", rows, dict(skipped or {}))


def mark(box: Box, selection: Selection, by: str, note: str = "") -> Acted:
    """Somebody has looked at these rows; their fixes stay."""
    return write(box, _said(box, selection, "reviewed", note), by)


def discard(box: Box, selection: Selection, by: str, note: str) -> Acted:
    """These rows will not be replayed; `expire` removes their values. Raises `ConfigurationError` without a reason."""
    if not note.strip():
        raise ConfigurationError("discarding rows needs a reason", remedy="say why: --note TEXT")
    lines = (replace(line, fix=None) for line in _said(box, selection, "deleted", note))
    return write(box, lines, by)


def _said(box: Box, selection: Selection, status: EntryStatus, note: str) -> Iterator[Line]:
    return (Line(entry, status, entry.fix, note) for entry in entries(box, selection))


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """`column = expression` by column. Raises `ConfigurationError`."""
    found: dict[str, str] = {}
    for text in texts:
        column, equals, expression = (part.strip() for part in text.partition("="))
        column = column.strip('"')
        if not (column and equals and expression) or column in found:
            raise ConfigurationError(
                f"'{text}' sets no column", where="--set",
                remedy='write --set "column = expression", each column once',
            )  # fmt: skip
        found[column] = expression
    return found


def fix(box: Box, selection: Selection, sets: Mapping[str, str], by: str, note: str = "") -> Acted:
    """Sets columns to what expressions over the original values come to, beside earlier fixes of other columns.

    A row on which an expression fails is left as it is and counted in `skipped`. Raises `ConfigurationError`.
    """
    if not sets:
        raise ConfigurationError("nothing to set", remedy='say what: --set "column = expression"')
    expressions, skipped = Expressions(box, sets), Counter[str]()
    return write(box, _fixed(box, selection, expressions, note, skipped), by, skipped)


def _fixed(
    box: Box, selection: Selection, expressions: Expressions, note: str, skipped: Counter[str]
) -> Iterator[Line]:
    for lot in lots(entries(box, selection)):
        values, failures = expressions.evaluate(lot)
        for at, entry in enumerate(lot):
            if lost := [name for name, failed in failures.items() if failed[at]]:
                skipped[f"the expression of {', '.join(lost)} fails"] += 1
                continue
            made = {_column(entry, name): texts[at] for name, texts in values.items()}
            yield Line(entry, "reviewed", {**entry.fix, **made}, note)


def _column(entry: Entry, name: str) -> str:
    """As the source spells it."""
    return next((each for each in entry.original or () if each.casefold() == name.casefold()), name)
