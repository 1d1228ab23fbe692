"""What Airflow calls when a run is not done by its deadline (`DeadlineAlert` of a generated DAG).

In the triggerer: to callbacks that an executor runs, Airflow 3.3 refuses Variables and Connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dativo_provider.errors import RetryableError
from dativo_provider.operators.context import deployment_context

__all__ = ["missed", "tell"]


async def missed(**told: Any) -> int:
    """`tell`, beside the triggerer's own loop."""
    return await asyncio.to_thread(tell, **told)


def tell(
    tenant: str,
    job: str,
    hours: float,
    channels: Sequence[Mapping[str, Any]],
    variables: Sequence[str],
    folder: str,
    context: Mapping[str, Any] | None = None,
) -> int:
    """Tells the job's channels; by how many it went. The arguments hold no secrets: references are replaced here, as
    runner.yaml in `folder` says. Raises `RetryableError` when nobody could be told: Airflow shows the callback as
    failed then."""
    from dativo_provider.model.notices import ChannelSpec, Notice, NotificationSpec
    from dativo_provider.notify import compose, send

    known = context or {}
    run = str((known.get("dag_run") or {}).get("dag_run_id", ""))
    ctx = deployment_context(Path(folder) if folder else None, {"tenant": tenant, "job": job, "run": run})
    ctx.airflow = known
    text = f"the run has not ended {hours:g} hours after it was queued, so its rows are older than promised"
    notice = Notice("deadline", "a run is late", text)
    message = compose([notice], NotificationSpec(), (tenant, job, ""), ctx.now().isoformat(), {"run_id": run})
    specs = [ChannelSpec(**{**each, "recipients": tuple(each["recipients"])}) for each in channels]
    if went := send(message, specs, variables, ctx):
        return went
    raise RetryableError("nobody could be told that a run is late", remedy="see the warnings above")
