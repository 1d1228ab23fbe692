"""What Airflow calls when a run is not done by its deadline (`DeadlineAlert` of a generated DAG)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["missed"]


def missed(
    tenant: str, job: str, hours: float, channels: Sequence[Mapping[str, Any]], variables: Sequence[str], **_more: Any
) -> int:
    """Tells the job's channels; by how many it went. The arguments hold no secrets: references are replaced here."""
    from dativo_provider.hooks.connections import AirflowConnections
    from dativo_provider.hooks.secrets import AirflowSecrets
    from dativo_provider.hooks.settings import load_settings
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.notices import ChannelSpec, Notice, NotificationSpec
    from dativo_provider.notify import compose, send

    connections = AirflowConnections()
    ctx = RunContext(load_settings(connections), AirflowSecrets(), connections, variables=dict(os.environ))
    text = f"the run has not ended {hours:g} hours after it was queued, so its rows are older than promised"
    notice = Notice("deadline", "a run is late", text)
    message = compose([notice], NotificationSpec(), (tenant, job, ""), ctx.now().isoformat(), {})
    specs = [ChannelSpec(**{**each, "recipients": tuple(each["recipients"])}) for each in channels]
    return send(message, specs, variables, ctx)
