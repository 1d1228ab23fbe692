"""Jobs, schedules and checks in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dag_factory.markdown import code, text
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.job import JobSpec, ScheduleSpec, StreamSpec

__all__ = ["consequence", "duration", "increments", "rule", "schedule", "writing"]

_WRITES = {
    "append": "rows are added",
    "replace": "the table's content is replaced",
    "merge": "rows are added or updated by key",
    "delete_insert": "the window or the partitions of the run are replaced",
    "scd2": "every version of a row is kept",
}


def duration(seconds: float) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds:g} seconds"


def schedule(spec: ScheduleSpec) -> str:
    when = "by hand"
    if spec.cron:
        when = f"{code(spec.cron)} {text(spec.timezone)}"
    elif spec.interval_seconds:
        when = f"every {duration(spec.interval_seconds)}"
    return when if spec.enabled or when == "by hand" else f"{when}, switched off"


def writing(job: JobSpec) -> str:
    return f"{code(job.target.mode)}: {_WRITES[job.target.mode]}"


def increments(stream: StreamSpec) -> str:
    spec = stream.incremental
    if spec.strategy == "full_refresh":
        return "everything, each time"
    if spec.strategy == "file_modified_time":
        return "files that are new since the last run"
    by = f"rows with a later {code(spec.cursor_field)}" if spec.cursor_field else "what is new"
    back = f", looking back {duration(spec.lookback_seconds)}" if spec.lookback_seconds else ""
    return f"{by} since the last run{back}"


def consequence(check: CheckSpec) -> str:
    """What happens when `check` fails."""
    if check.on_violation == "block":
        return "**the run is blocked**, nothing is published"
    if check.kind == "freshness" and check.severity == "error":
        return "the rows are published, then the run fails"
    if check.on_violation == "warn" or check.severity != "error":
        return "counted, published all the same"
    return "the row goes to quarantine"


def rule(check: CheckSpec) -> str:
    """What `check` asks for."""
    made = _RULES[check.kind](check.params) if check.kind in _RULES else ""
    condition = f" where {code(check.where)}" if check.where else ""
    share = f", up to {check.tolerance:.3g} of the rows excepted" if check.tolerance else ""
    return f"{made or text(check.description or check.name)}{condition}{share}"


def _between(params: Mapping[str, Any], unit: str = "") -> str:
    signs = {"min": "≥", "exclusive_min": ">", "max": "≤", "exclusive_max": "<"}
    bounds = [f"{sign} {text(params[key])}" for key, sign in signs.items() if params.get(key) is not None]
    return " and ".join(bounds) + (f" {unit}" if bounds and unit else "")


def _one_of(params: Mapping[str, Any]) -> str:
    values = list(params.get("values") or ())
    more = f" … ({len(values)} values)" if len(values) > 12 else ""
    return "one of " + ", ".join(code(value) for value in values[:12]) + more


def _pattern(params: Mapping[str, Any]) -> str:
    if not params.get("pattern"):
        return ""
    return f"{'does not match' if params.get('negate') else 'matches'} {code(params.get('pattern', ''))}"


_RULES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "type": lambda p: f"is a {text(p.get('type', ''))}",
    "required": lambda _p: "is there",
    "range": _between,
    "length": lambda p: _between(p, "characters"),
    "regex": _pattern,
    "enum": _one_of,
    "uniqueness": lambda _p: "is unique",
    "freshness": lambda p: f"newest value not older than {duration(p.get('max_age_seconds') or 0)}",
    "row_count": lambda p: _between(p, "rows"),
    "sql": lambda p: code(p.get("query", "")),
    "custom": lambda p: code(p.get("function", "")),
}
