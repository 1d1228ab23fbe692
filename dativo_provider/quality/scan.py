"""Dataset checks over the rows of one run, from counters and, where need be, one pass over the staged columns.

Uniqueness is that of this run's rows; rows with NULL in a key column have no key. What this version cannot evaluate
says so, and never passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.settings import Settings
from dativo_provider.quality.freshness import judge_age
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.vocabulary import EvaluatedBy, Outcome

__all__ = ["evaluate"]

Read = Callable[[Sequence[str]], Iterator[pa.RecordBatch]]


def evaluate(
    checks: Sequence[CheckSpec], read: Read, books: Books, now: datetime, settings: Settings
) -> tuple[CheckResult, ...]:
    """A result for every dataset check, in order. `read(columns)` yields the run's staged rows, as often as asked."""
    newest = _newest(_moments(checks), read) if books.produced else {}
    return tuple(_evaluate(check, read, books, now, settings, newest) for check in checks)


def _evaluate(
    check: CheckSpec, read: Read, books: Books, now: datetime, settings: Settings, newest: dict[str, Any]
) -> CheckResult:
    if reason := check.params.get("skipped"):
        return _result(check, "skipped", message=reason)
    if reason := check.params.get("not_evaluated"):
        return _result(check, "not_evaluated", message=_with_engine(check, reason))
    if check.kind == "row_count":
        return _row_count(check, books)
    if check.kind == "freshness":
        return judge_age(check, newest.get(check.columns[0]), now)
    if check.kind == "uniqueness":
        return _uniqueness(check, read, books, settings)
    if check.kind == "text":
        return _result(check, "skipped", message=check.description or "a text for people, which nothing evaluates")
    return _result(check, "not_evaluated", message=f"this version does not evaluate {check.kind} checks")


def _with_engine(check: CheckSpec, reason: str) -> str:
    return f"{reason} (engine: {check.engine})" if check.engine and check.engine not in reason else reason


def _row_count(check: CheckSpec, books: Books) -> CheckResult:
    allowed = Threshold.from_dict(check.params["allowed"])
    fits = allowed.holds(books.produced, books.produced)
    message = f"{books.produced} rows, must be {allowed}"
    return _result(check, "passed" if fits else "failed", "stats", books.produced, 0, books.produced, message)


def _moments(checks: Sequence[CheckSpec]) -> list[str]:
    evaluated = (c for c in checks if c.kind == "freshness" and not {"skipped", "not_evaluated"} & c.params.keys())
    return sorted({check.columns[0] for check in evaluated})


def _newest(columns: list[str], read: Read) -> dict[str, Any]:
    if not columns:
        return {}
    newest: dict[str, Any] = {}
    for batch in read(columns):
        for name in columns:
            value = _value(pc.max(batch.column(name)))
            if value is not None and (name not in newest or value > newest[name]):
                newest[name] = value
    return newest


def _value(newest: pa.Scalar) -> Any:
    """As Python; a moment Python cannot write down lies far ahead."""
    try:
        return newest.as_py()
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=UTC) if getattr(newest.type, "tz", None) else _LAST[str(newest.type)]


_LAST = {"date32[day]": date.max, "timestamp[us]": datetime.max}


def _uniqueness(check: CheckSpec, read: Read, books: Books, settings: Settings) -> CheckResult:
    allowed = Threshold.from_dict(check.params["allowed"]) if "allowed" in check.params else None
    surplus = _surplus(check.columns, read, settings) if books.produced else 0
    if allowed is not None:
        fits, message = allowed.holds(surplus, books.produced), f"{surplus} rows too many, must be {allowed}"
    else:
        fits = surplus <= check.tolerance * books.produced
        message = f"{surplus} rows repeat the {', '.join(check.columns)} of another row of this run" if surplus else ""
    outcome: Outcome = "passed" if fits else "failed"
    return _result(check, outcome, "scan", books.produced, surplus, surplus, message)


def _surplus(columns: Sequence[str], read: Read, settings: Settings) -> int:
    """Rows beyond the first of each key. Hashes of 8 bytes first: when they differ, so do the keys."""
    keys = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in columns]
    if not _repeats(columns, read, settings, f"hash({', '.join(keys)})", keys):
        return 0
    return _repeats(columns, read, settings, ", ".join(keys), keys)


def _repeats(columns: Sequence[str], read: Read, settings: Settings, group: str, keys: Sequence[str]) -> int:
    present = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    groups = f"SELECT count(*) AS n FROM staged WHERE {present} GROUP BY {group} HAVING count(*) > 1"
    with TemporaryFolder("unique") as spill, _database(settings, spill) as database:
        reader = _reader(read(columns))
        if reader is None:
            return 0
        database.register("staged", reader)
        found = database.execute(f"SELECT coalesce(sum(n - 1), 0)::BIGINT FROM ({groups})").fetchall()
        return int(found[0][0])


def _reader(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader | None:
    first = next(batches, None)
    return None if first is None else pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))


def _database(settings: Settings, spill: str) -> duckdb.DuckDBPyConnection:
    limits = {
        "memory_limit": f"{max(settings.memory_limit_mb // 2, 64)}MB",
        "threads": str(settings.threads),
        "temp_directory": spill,
        "preserve_insertion_order": "false",
    }
    database = duckdb.connect(":memory:", config=limits)
    database.execute("SET enable_external_access=false")
    return database


def _result(
    check: CheckSpec,
    outcome: Outcome,
    evaluated_by: EvaluatedBy = "none",
    evaluated: int = 0,
    failed: int = 0,
    value: Any = None,
    message: str = "",
) -> CheckResult:
    return CheckResult(
        check.id,
        check.name,
        outcome,
        evaluated_by,
        severity=check.severity,
        on_violation=check.on_violation,
        evaluated=evaluated,
        failed=failed,
        value=value,
        message=message,
    )
