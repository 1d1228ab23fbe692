"""How old the newest row is. A date counts as its whole day; a moment without zone is read in the column's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.vocabulary import EvaluatedBy

__all__ = ["judge_age"]


def judge_age(check: CheckSpec, newest: Any, now: datetime, by: EvaluatedBy = "stats") -> CheckResult:
    """`newest` is the largest value of the check's column, None when there is none; `by` says where it came from."""
    if newest is None:
        message = f"this run brought no value of {check.columns[0]} whose age could be told"
        return check.result("not_evaluated", message=message)
    moment = _moment(newest, check.params.get("timezone", "UTC"))
    age, most = (now - moment).total_seconds(), float(check.params["max_age_seconds"])
    message = f"the newest {check.columns[0]} is {_span(age)} old, at most {_span(most)} are allowed"
    return check.result("passed" if age <= most else "failed", by, value=moment.isoformat(), message=message)


def _moment(value: Any, zone: str) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value + timedelta(days=1) if value < date.max else value, time(), ZoneInfo(zone))
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _span(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:.1f} days" if abs(hours) >= 48 else f"{hours:.1f} hours"
