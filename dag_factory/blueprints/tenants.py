"""What blueprints with a DAG per tenant share: whose job files there are, when it runs, and the DAG around the task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable

from dag_factory.options import FactoryOptions
from dativo_provider.config import InvalidConfig, JobFile, load_tenant
from dativo_provider.config.tenants import TenantSpec
from dativo_provider.hooks.tenancy import RIGHTS, role_name
from dativo_provider.model.maintenance import MaintenanceSchedule
from dativo_provider.operators.job_file import JobFileOperator

__all__ = ["scheduled", "task_per_file", "tenant_dag"]

ScheduleOf = Callable[[TenantSpec | None], MaintenanceSchedule | None]
Scheduled = tuple[str, list[str], MaintenanceSchedule]


def scheduled(
    jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions, schedule_of: ScheduleOf
) -> Iterator[Scheduled]:
    """Tenants whose schedule is on, with their job files relative to the loader's folder. `schedule_of` gets None
    where there is no tenant file; a tenant whose file cannot be read has none."""
    files: dict[str, list[str]] = {}
    for dag_id, found in jobs.items():
        for file in found:
            if dag_id == f"{file.tenant}.{file.name}":  # else one of the names is no id, and its own DAG says so
                files.setdefault(file.tenant, []).append(file.path.relative_to(options.root).as_posix())
    for tenant, paths in files.items():
        schedule = _schedule(tenant, Path(options.root), schedule_of)
        if schedule and schedule.enabled:
            yield tenant, sorted(paths), schedule


def _schedule(tenant: str, root: Path, schedule_of: ScheduleOf) -> MaintenanceSchedule | None:
    paths = (root / "tenants" / tenant / name for name in ("tenant.yaml", "tenant.yml"))
    try:
        return schedule_of(next((load_tenant(path) for path in paths if path.is_file()), None))
    except InvalidConfig:
        return None


def tenant_dag(
    tenant: str, name: str, schedule: MaintenanceSchedule, options: FactoryOptions, doc: str, **more: Any
) -> DAG:
    """`<tenant>.<name>`, which only that tenant's people see where roles are managed."""
    rights: dict[str, Any] = {role_name(tenant): {key: set(names) for key, names in RIGHTS.items()}}
    return DAG(
        f"{tenant}.{name}",
        schedule=_timetable(schedule),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["dativo", "dativo:blueprint", f"dativo:{name}", f"tenant:{tenant}"],
        doc_md=doc.format(tenant=tenant),
        auto_register=False,
        access_control=rights if options.manage_roles else None,
        **more,
    )


def task_per_file(
    operator: type[JobFileOperator], dag: DAG, task_id: str, files: Sequence[str], options: FactoryOptions, **more: Any
) -> None:
    """A mapped task of a `tenant_dag` for each of the tenant's job files."""
    tenant, _, name = dag.dag_id.rpartition(".")
    operator.partial(
        task_id=task_id,
        dag=dag,
        tenant=tenant,
        job=name,
        stream="",
        owner="dativo",
        environment=options.environment,
        mode=options.mode,
        map_index_template="{{ task.file }}",
        **more,
    ).expand(file=list(files))


def _timetable(schedule: MaintenanceSchedule) -> CronTriggerTimetable | None:
    if not schedule.cron:
        return None
    return CronTriggerTimetable(schedule.cron, timezone=pendulum.timezone(schedule.timezone))
