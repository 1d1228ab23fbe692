"""A row for every result of every run: what was held against which contract and data, by which engine, and its end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dativo_provider.model.acceptance import Acceptance
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord

__all__ = ["COLUMNS", "evidence"]

COLUMNS = (
    "tenant", "job", "stream", "run", "status", "started_at", "finished_at", "run_seconds", "table", "data_version",
    "contract_version", "decision", "check_id", "check", "outcome", "severity", "on_violation", "engine",
    "engine_version", "seconds", "evaluated", "failed", "value", "message", "decided_by", "accepted_by",
    "accepted_because", "digest",
)  # fmt: skip


def evidence(
    run: RunRecord, results: Sequence[CheckResult], accepted: Sequence[Acceptance] = ()
) -> list[dict[str, Any]]:
    """A run that was never audited is one row without a check. `data_version` is the snapshot it made, empty where
    nothing was published. `accepted` are levels of the job; `digest` is filled by `sealed`."""
    by_check = {each.check_id: each for each in accepted if each.run == run.plan_id}
    about = {
        "tenant": run.tenant,
        "job": run.job,
        "stream": run.stream,
        "run": run.plan_id,
        "status": run.status,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "run_seconds": _seconds(run),
        "table": run.table,
        "data_version": "" if run.snapshot_id is None else str(run.snapshot_id),
        "contract_version": run.contract_version,
        "decision": run.verdict.decision if run.verdict else "",
        "decided_by": run.decided_by,
    }
    return [_row(about | _facts(result, by_check.get(result.check_id))) for result in results] or [_row(about)]


def _facts(result: CheckResult, accepted: Acceptance | None) -> dict[str, Any]:
    value = result.value
    return {
        "check_id": result.check_id,
        "check": result.name,
        "outcome": result.outcome,
        "severity": result.severity,
        "on_violation": result.on_violation,
        "engine": result.evaluated_by,
        "engine_version": result.engine,
        "seconds": round(result.seconds, 6),
        "evaluated": result.evaluated,
        "failed": result.failed,
        "value": json.dumps(value, default=str) if isinstance(value, dict | list) else value,
        "message": result.message,
        "accepted_by": accepted.by if accepted else "",
        "accepted_because": accepted.reason if accepted else "",
    }


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: facts.get(name, "") for name in COLUMNS}


def _seconds(run: RunRecord) -> float:
    if not run.finished_at:
        return 0.0
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    return round(took.total_seconds(), 3)
