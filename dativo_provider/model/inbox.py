"""The inbox of quarantined rows: what is in it, which of it is meant, and what a command came to (QUA-01..05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.vocabulary import EntryStatus

__all__ = ["OPEN", "Acted", "Cause", "Entry", "InboxSummary", "Selection"]

OPEN: tuple[EntryStatus, ...] = ("quarantined", "reviewed")


@dataclass(frozen=True)
class Selection:
    """Which rows are meant; what is empty does not narrow. `rows` are row ids or beginnings of some; `where` is an
    SQL expression over the original values."""

    statuses: tuple[EntryStatus, ...] = OPEN
    run: str = ""
    check: str = ""
    rows: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Entry:
    """A row that was set aside. `original` are its values as the source had them (None: it was no row, only `raw`);
    `fix` are those that a person has set instead. `superseded` by a later run that set the same row aside again."""

    run: str
    row_id: str
    source_reference: str
    kind: str
    reasons: tuple[str, ...]
    raw: str
    original: Mapping[str, Any] | None
    fix: Mapping[str, Any] = field(default_factory=dict)
    status: EntryStatus = "quarantined"
    contract_version: str = ""
    quarantined_at: str = ""
    expires_at: str = ""
    reviewed_by: str = ""
    reviewed_at: str = ""
    note: str = ""
    superseded: bool = False

    @property
    def values(self) -> Mapping[str, Any] | None:
        """As they would be replayed; None when nobody has made a row of it yet."""
        if self.original is None:
            return self.fix or None
        return {**self.original, **self.fix}


@dataclass(frozen=True)
class Cause:
    """Rows that broke the same rule. `reason` is the check's id, or why the text was no row."""

    stream: str
    reason: str
    rows: int
    first_seen: str
    last_seen: str
    runs: int


@dataclass(frozen=True)
class InboxSummary:
    """What one run left in the inbox, by status."""

    job: str
    stream: str
    table: str
    run: str
    quarantined_at: str
    expires_at: str
    contract_version: str
    quarantined: int = 0
    reviewed: int = 0
    replayed: int = 0
    deleted: int = 0
    superseded: int = 0


@dataclass(frozen=True)
class Acted:
    """`rows` were changed; `skipped` were meant but could not be, by reason."""

    action: str = ""
    rows: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
