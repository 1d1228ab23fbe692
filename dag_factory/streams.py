"""The tasks of one stream: plan → extract (one per slice) → transform → audit → publish → sync.

With `publish: branch`, a person stands before publish: audit → stage → approve → publish.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, TaskGroup, TriggerRule

from dag_factory.names import owner
from dag_factory.options import FactoryOptions
from dativo_provider.hooks.assets import table_asset
from dativo_provider.hooks.tenancy import pool_name, source_pool
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.operators.audit import AuditOperator
from dativo_provider.operators.extract import ExtractOperator
from dativo_provider.operators.plan import PLAN_KEY, PlanOperator
from dativo_provider.operators.publish import PublishOperator
from dativo_provider.operators.retry import retry_arguments
from dativo_provider.operators.sync import SyncOperator
from dativo_provider.operators.transform import TransformOperator

__all__ = ["add_stream"]


def add_stream(dag: DAG, group_id: str, job: JobSpec, stream: StreamSpec, options: FactoryOptions) -> None:
    """A failing stream stops only itself: groups have no edges between them."""
    tooltip = f"{stream.object} → {job.target.namespace or job.tenant}.{stream.table}"
    with TaskGroup(group_id, dag=dag, group_display_name=stream.name, tooltip=tooltip):
        shared = _shared(dag, job, stream, options)
        plan = PlanOperator(task_id="plan", path=job.path, environment=options.environment, mode=options.mode, **shared)
        planned = {**shared, "plan": _plan_uri(plan.task_id)}
        reads = {**planned, **_reading(job, options)}
        previous = ExtractOperator.partial(task_id="extract", **reads).expand(index=plan.output)
        # A window without slices skips `extract`; what comes after it still has to run.
        after_extract = {"trigger_rule": TriggerRule.NONE_FAILED}
        if job.whole_run:
            previous >> (transform := TransformOperator(task_id="transform", **planned, **after_extract))
            previous, after_extract = transform, {}
        audit = AuditOperator(task_id="audit", **planned, **after_extract)
        previous >> audit
        table = table_asset(job, stream, catalog=options.catalog, warehouse=options.warehouse)
        publish = _PUBLISHING[job.target.publish](job, audit, planned, [table])
        publish >> SyncOperator(task_id="sync", **planned)


def _publish(_job: JobSpec, audit: AuditOperator, planned: dict[str, Any], outlets: list[Asset]) -> PublishOperator:
    audit >> (publish := PublishOperator(task_id="publish", outlets=outlets, **planned))
    return publish


def _publish_when_approved(
    job: JobSpec, audit: AuditOperator, planned: dict[str, Any], outlets: list[Asset]
) -> PublishOperator:
    from dativo_provider.operators.approval import ApproveOperator, DecidedOperator, StageOperator

    limit = timedelta(seconds=job.target.approval.timeout_seconds)
    stage = StageOperator(task_id="stage", **planned)
    approve = ApproveOperator(task_id="approve", timeout=limit, on_timeout=job.target.approval.on_timeout, **planned)
    publish = DecidedOperator(task_id="publish", asked=approve.task_id, outlets=outlets, **planned)
    audit >> stage >> approve >> publish
    return publish


_PUBLISHING = {"main": _publish, "branch": _publish_when_approved}


def _reading(job: JobSpec, options: FactoryOptions) -> dict[str, Any]:
    """As many tasks read one source at once as it allows connections; of files any number may."""
    pool = source_pool(job)
    if not pool:
        return {}
    if options.manage_pools:
        return {"pool": pool}
    return {"max_active_tis_per_dag": min(job.source.pool_size, options.concurrency or job.source.pool_size)}


def _plan_uri(task_id: str) -> str:
    """A template rather than `plan.output[...]`, which would draw an edge from plan to every later task."""
    return f"{{{{ ti.xcom_pull(task_ids='{task_id}', key='{PLAN_KEY}') }}}}"


def _shared(dag: DAG, job: JobSpec, stream: StreamSpec, options: FactoryOptions) -> dict[str, Any]:
    shared = {
        "dag": dag,
        "tenant": job.tenant,
        "job": job.name,
        "stream": stream.name,
        "owner": owner(stream),
        **retry_arguments(job.retry),
    }
    if options.manage_pools:
        return {**shared, "pool": pool_name(job.tenant)}
    return {**shared, "max_active_tis_per_dag": options.concurrency} if options.concurrency else shared
