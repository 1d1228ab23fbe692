"""A run that takes longer than its rows may be old breaks the promise of freshness while it runs: Airflow tells of it.

https://airflow.apache.org/docs/apache-airflow/stable/howto/deadline-alerts.html
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined]

from dativo_provider.model.job import JobSpec

__all__ = ["deadline"]

_MISSED = "dativo_provider.operators.deadline.missed"


def deadline(job: JobSpec, root: str) -> dict[str, Any]:
    """The DAG's argument; none without a promise, without a schedule, or with nobody to tell. `root` is the folder of
    the loader."""
    hours, channels = job.sla.max_age_hours, job.notification.channels
    if hours is None or not channels or not job.schedule.enabled:
        return {}
    if not (job.schedule.cron or job.schedule.interval_seconds):
        return {}
    told = {
        "tenant": job.tenant,
        "job": job.name,
        "hours": hours,
        "channels": [{**asdict(each), "recipients": list(each.recipients)} for each in channels],
        "variables": list(job.allowed_variables),
        "folder": root,
    }
    alert = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=AsyncCallback(_MISSED, kwargs=told),
    )
    return {"deadline": alert}
