"""One job, one DAG. Pure: the same job and options always make the same DAG; nothing is read or fetched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable, DeltaDataIntervalTimetable

from dag_factory.deadlines import deadline
from dag_factory.docs import job_doc, refusal_doc
from dag_factory.markdown import text
from dag_factory.names import group_ids, owner_links, tags
from dag_factory.options import FactoryOptions
from dag_factory.params import params
from dag_factory.streams import add_stream
from dativo_provider.hooks.tenancy import RIGHTS, role_name
from dativo_provider.model.job import JobSpec, ScheduleSpec
from dativo_provider.operators.refuse import InvalidJobOperator, UnsupportedOperator

__all__ = ["build", "build_invalid"]

# Long before any data: nothing catches up, so a start date only bounds backfills.
START = datetime(2000, 1, 1, tzinfo=UTC)
_DEFAULTS = FactoryOptions()


def build(job: JobSpec, options: FactoryOptions = _DEFAULTS) -> DAG:
    """The DAG of `job`. One that this version cannot execute keeps its schedule, and its task says why it fails."""
    return _unsupported(job, options) if job.unsupported else _executable(job, options)


def _executable(job: JobSpec, options: FactoryOptions) -> DAG:
    dag = _dag(job, options, tags(job), job_doc(job, shown(job.path, options.root)), **deadline(job, options.root))
    for group_id, stream in zip(group_ids(job.streams), job.streams, strict=True):
        add_stream(dag, group_id, job, stream, options)
    dag.params = params(job)  # last: every task made before would carry a deep copy of them
    return dag


def _unsupported(job: JobSpec, options: FactoryOptions) -> DAG:
    path = shown(job.path, options.root)
    advice = "The file is right; this version of Dativo cannot run it. Every run fails with this message until it can."
    doc = refusal_doc("Not supported yet", [text(reason) for reason in job.unsupported], advice, job, path)
    name = f"{job.dag_id} ⚠ not supported yet"
    dag = _dag(job, options, tags(job, "dativo:unsupported"), doc, dag_display_name=name)
    UnsupportedOperator(task_id="unsupported", dag=dag, owner="dativo", message="; ".join(job.unsupported), retries=0)
    return dag


def build_invalid(dag_id: str, tenant: str, findings: Sequence[str], message: str) -> DAG:
    """Stands in for a YAML with mistakes: visible, explained, never scheduled."""
    doc = refusal_doc(
        "This job has mistakes and does not run",
        findings,
        "Correct the file; the DAG comes back by itself within a minute. "
        "`dativo validate` and `airflow dativo validate` show the same findings.",
        None,
        "",
    )
    listed = ["dativo", "dativo:invalid", *([f"tenant:{tenant}"] if tenant else [])]
    dag = DAG(
        dag_id,
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=listed,
        doc_md=doc,
        description="This job's YAML has mistakes",
        dag_display_name=f"{dag_id} ⚠ invalid",
        auto_register=False,
    )
    InvalidJobOperator(task_id="invalid", dag=dag, owner="dativo", message=message, retries=0)
    return dag


def _dag(job: JobSpec, options: FactoryOptions, listed: list[str], doc: str, **more: Any) -> DAG:
    if options.manage_roles:
        more["access_control"] = {role_name(job.tenant): {key: set(rights) for key, rights in RIGHTS.items()}}
    return DAG(
        job.dag_id,
        schedule=_timetable(job.schedule),
        start_date=START,
        catchup=False,
        max_active_runs=_parallel_runs(job),
        tags=listed,
        doc_md=doc,
        description=job.description or None,
        owner_links=owner_links(job),
        auto_register=False,
        **more,
    )


def _timetable(spec: ScheduleSpec) -> CronDataIntervalTimetable | DeltaDataIntervalTimetable | None:
    """None when switched off, too: pausing would not survive a redeployment, and can be undone in the UI."""
    if not spec.enabled:
        return None
    if spec.cron:
        return CronDataIntervalTimetable(spec.cron, timezone=pendulum.timezone(spec.timezone))
    return DeltaDataIntervalTimetable(timedelta(seconds=spec.interval_seconds)) if spec.interval_seconds else None


def _parallel_runs(job: JobSpec) -> int:
    """Two runs from one cursor would read the same rows; the second would be fenced."""
    incremental = any(stream.incremental.strategy != "full_refresh" for stream in job.streams)
    return 1 if incremental else max(1, job.schedule.max_concurrent_runs)


def shown(path: str, root: str) -> str:
    """`path` as the author knows it: below the dags folder."""
    pure = PurePath(path)
    return str(pure.relative_to(root)) if root and pure.is_relative_to(root) else pure.name
