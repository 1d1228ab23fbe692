"""Serial numbers: days since 30 December 1899 in the spreadsheet's own zone, the fraction a part of the day.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/DateTimeRenderOption - a double tells
milliseconds apart for any year there is, so that is how exactly they are read.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dativo_provider.errors import ConfigurationError

__all__ = ["as_date", "as_instant", "as_moment", "as_time", "serial_of"]

_EPOCH = datetime(1899, 12, 30)
_DAY = 86_400_000
_FIRST = (datetime(1, 1, 1) - _EPOCH).days
_LAST = (datetime(9999, 12, 31) - _EPOCH).days

Number = int | Decimal


def as_moment(serial: Number) -> datetime:
    """Raises `ValueError` for what is no moment of the years 1 to 9999."""
    moment = round(Decimal(serial) * _DAY)
    if not _FIRST * _DAY <= moment < (_LAST + 1) * _DAY:
        raise ValueError("no date")
    return _EPOCH + timedelta(milliseconds=moment)


def as_date(serial: Number) -> date:
    """Raises `ValueError` for a moment within a day."""
    if serial != int(serial):
        raise ValueError("no whole day")
    return as_moment(serial).date()


def as_time(serial: Number) -> time:
    """Raises `ValueError` for a whole day or more."""
    if not 0 <= serial < 1:
        raise ValueError("no time of day")
    return as_moment(serial).time()


def as_instant(serial: Number, zone: str) -> datetime:
    """In UTC. What the clock shows twice is the first of the two. Raises `ValueError` as `as_moment` does."""
    try:
        return as_moment(serial).replace(tzinfo=_zone(zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError("no date") from None


def serial_of(moment: datetime) -> float:
    """The number of a wall clock's moment. Exact to the millisecond."""
    return (moment.replace(tzinfo=None) - _EPOCH) / timedelta(days=1)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"the spreadsheet's time zone '{name}' is not known here", remedy="install tzdata, or choose another"
        ) from None
