"""The API's clock: a record that changes gets its moment from there, so a window must not end ahead of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["seconds_to"]

_COARSE = 1  # seconds: how exact `Date` is
_MOST = 86_400  # beyond it is no clock that runs slow, but a header that says nothing


def seconds_to(moment: datetime, headers: Mapping[str, str]) -> float:
    """How long until the clock that an answer shows is at `moment`; 0 where it is, or is not told.

    By `Date`, and `Age` when a cache answered (RFC 9110 §6.6.1, RFC 9111 §5.1).
    """
    try:
        there = parsedate_to_datetime(headers["date"]) + timedelta(seconds=int(headers.get("age", "0")))
        found = (moment - (there if there.tzinfo else there.replace(tzinfo=UTC))).total_seconds()
    except (KeyError, ValueError, TypeError, OverflowError):
        return 0
    return found if _COARSE < found <= _MOST else 0
