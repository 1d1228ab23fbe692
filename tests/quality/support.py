"""A plan and results to judge, as short as a test can say them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.run import Lane, Plan, RunRequest, State
from dativo_provider.model.stream import Cursor, Window

__all__ = ["a_check", "a_plan", "a_result"]

LIVE = Lane()
NOW = "2024-03-01T12:00:00+00:00"


def a_plan(
    checks: Sequence[CheckSpec] = (),
    *,
    lane: Lane = LIVE,
    cursor: dict[str, Any] | None = None,
    properties: dict[str, str] | None = None,
    **job: Any,
) -> Plan:
    contract = ContractSpec("orders", "1.2.0", properties=properties or {})
    stream = StreamSpec("orders", "public.orders", "orders", contract)
    spec = JobSpec("acme", "orders", "acme.orders", SourceSpec("postgres"), TargetSpec(), (stream,), **job)
    return Plan(
        plan_id="20240301T120000-abcd", run_id="manual", job=spec, stream="orders", lane=lane, request=RunRequest(),
        table="acme.orders", quarantine_table="acme.orders_quarantine", table_location="", quarantine_location="",
        folder="file:///runs/x", fields=(), checks=tuple(checks), window=Window(), slices=(),
        base=State(cursor=Cursor(cursor) if cursor else None), created_at=NOW,
    )  # fmt: skip


def a_check(**given: Any) -> CheckSpec:
    return CheckSpec(**{"id": "c", "name": "the check", "kind": "range", "columns": ("amount",), **given})


def a_result(outcome: Any, **given: Any) -> CheckResult:
    known = {"check_id": "c", "name": "the check", "evaluated_by": "stream", "evaluated": 100, "failed": 7}
    return CheckResult(**{**known, "outcome": outcome, **given})
