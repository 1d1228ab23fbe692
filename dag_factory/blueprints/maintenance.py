"""`<tenant>.maintenance`: one task per job of the tenant, which cares for that job's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param

from dag_factory.options import FactoryOptions
from dativo_provider.config import InvalidConfig, JobFile, load_tenant
from dativo_provider.hooks.tenancy import RIGHTS, pool_name, role_name
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


_SUFFIX = ".maintenance"


def makes(dag_id: str) -> bool:
    return dag_id.endswith(_SUFFIX)


def dags(jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
    """One per tenant, unless its file says no or cannot be read."""
    files: dict[str, list[str]] = {}
    for dag_id, found in jobs.items():
        for file in found:
            if dag_id == f"{file.tenant}.{file.name}":  # else one of the names is no id, and its own DAG says so
                files.setdefault(file.tenant, []).append(file.path.relative_to(options.root).as_posix())
    for tenant, paths in files.items():
        schedule = _schedule(tenant, Path(options.root))
        if schedule and schedule.enabled:
            yield build(tenant, sorted(paths), schedule, options)


def _schedule(tenant: str, root: Path) -> MaintenanceSchedule | None:
    paths = (root / "tenants" / tenant / name for name in ("tenant.yaml", "tenant.yml"))
    try:
        return next((load_tenant(path).upkeep for path in paths if path.is_file()), MaintenanceSchedule())
    except InvalidConfig:
        return None


def build(tenant: str, files: Sequence[str], schedule: MaintenanceSchedule, options: FactoryOptions) -> DAG:
    """`files` are the tenant's job files, relative to the loader's folder. One table at a time: this is no hurry,
    and runs need the memory."""
    rights: dict[str, Any] = {role_name(tenant): {key: set(names) for key, names in RIGHTS.items()}}
    dag = DAG(
        tenant + _SUFFIX,
        schedule=_timetable(schedule),
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["dativo", "dativo:blueprint", "dativo:maintenance", f"tenant:{tenant}"],
        doc_md=_DOC.format(tenant=tenant),
        description="Compaction, expiry and sweeping of the tenant's tables",
        params=_params(),
        auto_register=False,
        access_control=rights if options.manage_roles else None,
    )
    shared = {"pool": pool_name(tenant)} if options.manage_pools else {}
    MaintainOperator.partial(
        task_id="maintain",
        dag=dag,
        tenant=tenant,
        job="maintenance",
        stream="",
        owner="dativo",
        environment=options.environment,
        mode=options.mode,
        max_active_tis_per_dagrun=1,
        map_index_template="{{ task.file }}",
        **shared,
        **retry_arguments(RetrySpec()),
    ).expand(file=list(files))
    return dag


def _timetable(schedule: MaintenanceSchedule) -> CronTriggerTimetable | None:
    if not schedule.cron:
        return None
    return CronTriggerTimetable(schedule.cron, timezone=pendulum.timezone(schedule.timezone))


def _params() -> dict[str, Any]:
    words, only = [*get_args(MaintenanceJob)], "These jobs; none: all."
    return {
        "only": Param([], type="array", items={"enum": words}, title="Only", description=only),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Say what would be done, and do nothing."),
    }
