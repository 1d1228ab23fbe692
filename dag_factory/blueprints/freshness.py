"""`<tenant>.freshness`: asks of every job of the tenant whether rows keep coming, also when nothing runs at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from airflow.sdk import DAG

from dag_factory.blueprints.tenants import scheduled, task_per_file, tenant_dag
from dag_factory.options import FactoryOptions
from dativo_provider.config import JobFile
from dativo_provider.model.maintenance import MaintenanceSchedule
from dativo_provider.operators.freshness import FreshnessOperator

__all__ = ["build", "dags", "makes"]

_DOC = """\
Asks of every job of tenant **{tenant}** whether its rows are as new as its contract promises, tells the job's channels
when they are not, and fails then. It notices what no run can: that none comes. Switched on in `tenant.yaml`.
"""


def makes(dag_id: str) -> bool:
    return dag_id.endswith(".freshness")


def dags(jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
    """One per tenant whose file has a `freshness:` block."""
    for tenant, files, schedule in scheduled(jobs, options, lambda spec: spec.freshness if spec else None):
        yield build(tenant, files, schedule, options)


def build(tenant: str, files: Sequence[str], schedule: MaintenanceSchedule, options: FactoryOptions) -> DAG:
    """`files` are the tenant's job files, relative to the loader's folder."""
    about = "Whether rows keep coming into the tenant's tables"
    dag = tenant_dag(tenant, "freshness", schedule, options, _DOC, description=about)
    task_per_file(FreshnessOperator, dag, "freshness", files, options, retries=0)
    return dag
