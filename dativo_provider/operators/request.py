"""What this run was asked to do, from Airflow's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.model.run import RunRequest

__all__ = ["request_of"]


def request_of(context: Mapping[str, Any]) -> RunRequest:
    """The params `from` and `to` come first, then the interval of a backfill run, else the cursor decides.

    Runs started by an asset or by the API have neither logical date nor interval.
    """
    params = context.get("params") or {}
    start, end = params.get("from") or None, params.get("to") or None
    if not (start or end):
        start, end = _backfill_interval(context)
    return RunRequest(
        run_id=context["dag_run"].run_id,
        full_refresh=bool(params.get("full_refresh")),
        start=start,
        end=end,
        attempt=context["ti"].try_number,
    )


def _backfill_interval(context: Mapping[str, Any]) -> tuple[str | None, str | None]:
    run = context["dag_run"]
    start, end = getattr(run, "data_interval_start", None), getattr(run, "data_interval_end", None)
    if str(getattr(run.run_type, "value", run.run_type)) != "backfill" or start is None or end is None:
        return None, None
    return start.isoformat(), end.isoformat()
