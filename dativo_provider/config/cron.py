"""Whether a cron expression is one. The judge is croniter, which Airflow brings along and schedules by."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["problem_of"]

PRESETS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@quarterly", "@yearly", "@annually")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_NAMES = {
    "month": {n: i for i, n in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)},
    "day of week": {n: i for i, n in enumerate("sun mon tue wed thu fri sat".split())},
}
_PART = re.compile(r"(\*|[a-z0-9]+(?:-[a-z0-9]+)?)(?:/(\d+))?")


@lru_cache(maxsize=4096)
def problem_of(expression: str) -> str:
    """What is wrong with it, as a sentence; empty when nothing is."""
    text = expression.strip().lower()
    if text.startswith("@"):
        return "" if text in PRESETS else f"'{expression}' is not a preset; use {', '.join(PRESETS)}"
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f"'{expression}' has {len(parts)} fields; cron has five: minute hour day month weekday"
    for part, (field, low, high) in zip(parts, _FIELDS, strict=True):
        if found := _bad_field(part, field, low, high):
            return f"'{expression}': {found}"
    return _second_opinion(expression)


def _bad_field(text: str, field: str, low: int, high: int) -> str:
    if field.startswith("day") and re.search(r"[l#w?]", text):
        return ""  # `L`, `#` and `?`: left to croniter
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or match[2] == "0" or (match[2] and int(match[2]) > high):
            return f"'{part}' does not fit the field {field}"
        if match[1] == "*":
            continue
        ends = [_NAMES.get(field, {}).get(end, end) for end in match[1].split("-")]
        if any(not str(end).isdigit() or not low <= int(end) <= high for end in ends):
            return f"'{part}' does not fit the field {field} ({low}-{high})"
    return ""


def _second_opinion(expression: str) -> str:
    """Catches what only the scheduler can know, such as the 31st of February."""
    try:
        from croniter import croniter  # type: ignore[import-untyped]
    except ImportError:
        return ""
    try:
        croniter(expression).get_next()
    except (ValueError, KeyError, AttributeError, OverflowError) as error:
        return f"'{expression}' is not a cron expression: {error}"
    return ""
