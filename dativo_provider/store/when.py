"""Times between ISO text, as records carry them, and UTC, as stores sort them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["iso", "moment", "now"]


def moment(text: str) -> datetime:
    """ISO text as UTC; a value without zone is taken as UTC, a date as its first instant."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def iso(at: datetime) -> str:
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).isoformat(timespec="microseconds")


def now() -> str:
    return iso(datetime.now(UTC))
