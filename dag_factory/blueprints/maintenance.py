"""`<tenant>.maintenance`: one task per job of the tenant, which cares for that job's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from airflow.sdk import DAG, Param

from dag_factory.blueprints.tenants import scheduled, task_per_file, tenant_dag
from dag_factory.options import FactoryOptions
from dativo_provider.config import JobFile
from dativo_provider.hooks.tenancy import pool_name
from dativo_provider.model.job import RetrySpec
from dativo_provider.model.maintenance import MaintenanceSchedule
from dativo_provider.operators.maintain import MaintainOperator
from dativo_provider.operators.retry import retry_arguments
from dativo_provider.vocabulary import MaintenanceJob

__all__ = ["build", "dags", "makes"]

_DOC = """\
Cares for the tables of tenant **{tenant}** while its jobs go on: compacts small files, merges manifests, expires old
snapshots with their files, deletes orphans. A task may be killed or run again at any time. Thresholds and schedule are
in `tenant.yaml` and the jobs, under `maintenance:`.
"""


def makes(dag_id: str) -> bool:
    return dag_id.endswith(".maintenance")


def dags(jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
    """One per tenant, unless its file says no or cannot be read."""
    always = MaintenanceSchedule()
    for tenant, files, schedule in scheduled(jobs, options, lambda spec: spec.upkeep if spec else always):
        yield build(tenant, files, schedule, options)


def build(tenant: str, files: Sequence[str], schedule: MaintenanceSchedule, options: FactoryOptions) -> DAG:
    """`files` are the tenant's job files, relative to the loader's folder. One table at a time: this is no hurry,
    and runs need the memory."""
    about = "Compaction, expiry and sweeping of the tenant's tables"
    dag = tenant_dag(tenant, "maintenance", schedule, options, _DOC, description=about, params=_params())
    shared = {"pool": pool_name(tenant)} if options.manage_pools else {}
    task_per_file(
        MaintainOperator, dag, "maintain", files, options,
        max_active_tis_per_dagrun=1, **shared, **retry_arguments(RetrySpec()),
    )  # fmt: skip
    return dag


def _params() -> dict[str, Any]:
    words, only = [*get_args(MaintenanceJob)], "These jobs; none: all."
    return {
        "only": Param([], type="array", items={"enum": words}, title="Only", description=only),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Say what would be done, and do nothing."),
    }
