"""Moments as APIs write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Literal

from dativo_provider.errors import SourceChanged

__all__ = ["Written", "moment", "moment_or_none", "show", "written"]

# How an API writes a moment. `iso` keeps microseconds, `iso_seconds` has none; both end in Z.
Written = Literal["iso", "iso_seconds", "iso_millis", "date", "epoch", "epoch_ms", "http"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Mapping[str, Callable[[datetime], str | int]] = {
    "iso": lambda at: at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    "iso_millis": lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    "iso_seconds": lambda at: at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    "date": lambda at: at.date().isoformat(),
    "epoch": lambda at: (at - _EPOCH) // timedelta(seconds=1),
    "epoch_ms": lambda at: (at - _EPOCH) // timedelta(milliseconds=1),
    "http": lambda at: format_datetime(at, usegmt=True),
}
_PARTS = {"epoch": 1, "epoch_ms": 1000}


def show(at: datetime, form: Written) -> str | int:
    """`at` as the API reads it, rounded down to what the form holds."""
    return _SHOWN[form](at.astimezone(UTC))


def moment(value: Any, form: Written) -> datetime:
    """The moment a record says. Raises `ValueError` for what is none; text without a zone is UTC."""
    if form in _PARTS:
        return _EPOCH + timedelta(microseconds=int(Decimal(str(value)) * 1_000_000 / _PARTS[form]))
    if form == "http":
        return parsedate_to_datetime(str(value)).astimezone(UTC)
    at = datetime.fromisoformat(str(value))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def moment_or_none(value: Any, form: Written) -> datetime | None:
    try:
        return None if value is None else moment(value, form)
    except (ValueError, ArithmeticError):
        return None


def written(value: Any, form: Written, where: str) -> str | int:
    """A record's moment as the next request says it. Raises `SourceChanged` when it is none."""
    found = moment_or_none(value, form if isinstance(value, int | Decimal) else "iso")
    if found is None:
        raise SourceChanged(
            "the last record of a page has no moment that says where the next page starts",
            where=where,
            remedy="correct paginate.field and paginate.format in the spec",
        )
    return show(found, form)
