"""How long the answer that a rule is about asks to wait, where the spec says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from dativo_provider.connectors.rest.moments import moment_or_none
from dativo_provider.connectors.rest.page import at
from dativo_provider.connectors.rest.spec import Wait

__all__ = ["told_wait"]

_PER_SECOND = {"seconds": 1, "milliseconds": 1000}


def told_wait(wait: Wait | None, body: Any, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds; None where the spec or the answer says nothing."""
    if wait is None:
        return None
    value = headers.get(wait.header) if wait.header else at(body, wait.path) if wait.path else None
    if value is None:
        return None
    if wait.form != "seconds" and wait.form != "milliseconds":
        until = moment_or_none(value, wait.form)
        return None if until is None else max(0.0, (until - now).total_seconds())
    try:
        span = Decimal(str(value).strip()) / _PER_SECOND[wait.form]
    except InvalidOperation:
        return None
    return max(0.0, float(span)) if span.is_finite() else None
