"""`<tenant>.freshness`: asks of every job of the tenant whether rows keep coming, also when nothing runs at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from dag_factory.options import FactoryOptions
from dativo_provider.config import InvalidConfig, JobFile, load_tenant
from dativo_provider.hooks.tenancy import RIGHTS, role_name
from dativo_provider.model.maintenance import MaintenanceSchedule
from dativo_provider.operators.freshness import FreshnessOperator

__all__ = ["build", "dags", "makes"]

_DOC = """\
Asks of every job of tenant **{tenant}** whether its rows are as new as its contract promises, tells the job's channels
when they are not, and fails then. It notices what no run can: that none comes. Switched on in `tenant.yaml`.
"""
_SUFFIX = ".freshness"


def makes(dag_id: str) -> bool:
    return dag_id.endswith(_SUFFIX)


def dags(jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
    """One per tenant whose file has a `freshness:` block."""
    files: dict[str, list[str]] = {}
    for dag_id, found in jobs.items():
        for file in found:
            if dag_id == f"{file.tenant}.{file.name}":
                files.setdefault(file.tenant, []).append(file.path.relative_to(options.root).as_posix())
    for tenant, paths in files.items():
        schedule = _schedule(tenant, Path(options.root))
        if schedule and schedule.enabled:
            yield build(tenant, sorted(paths), schedule, options)


def _schedule(tenant: str, root: Path) -> MaintenanceSchedule | None:
    paths = (root / "tenants" / tenant / name for name in ("tenant.yaml", "tenant.yml"))
    try:
        return next((load_tenant(path).freshness for path in paths if path.is_file()), None)
    except InvalidConfig:
        return None


def build(tenant: str, files: Sequence[str], schedule: MaintenanceSchedule, options: FactoryOptions) -> DAG:
    """`files` are the tenant's job files, relative to the loader's folder."""
    rights = {role_name(tenant): {key: set(names) for key, names in RIGHTS.items()}}
    dag = DAG(
        tenant + _SUFFIX,
        schedule=CronTriggerTimetable(schedule.cron, timezone=pendulum.timezone(schedule.timezone)),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["dativo", "dativo:blueprint", "dativo:freshness", f"tenant:{tenant}"],
        doc_md=_DOC.format(tenant=tenant),
        description="Whether rows keep coming into the tenant's tables",
        auto_register=False,
        access_control=rights if options.manage_roles else None,
    )
    FreshnessOperator.partial(
        task_id="freshness",
        dag=dag,
        tenant=tenant,
        job="freshness",
        stream="",
        owner="dativo",
        retries=0,
        environment=options.environment,
        mode=options.mode,
        map_index_template="{{ task.file }}",
    ).expand(file=list(files))
    return dag
