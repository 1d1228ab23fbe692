"""Pools and roles for every tenant found in a dags folder. DAG code cannot make them: it has no database."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from dativo_provider.errors import ConfigurationError, MissingExtra
from dativo_provider.hooks.tenancy import RIGHTS, pool_name, role_name, source_pool
from dativo_provider.vocabulary import Mode

__all__ = [
    "make_pools", "make_roles", "make_source_pools", "source_slots", "sync_command", "tenant_slots", "validate_command",
]  # fmt: skip


def sync_command(args: argparse.Namespace) -> None:
    from airflow.configuration import conf

    try:
        folder = Path(args.folder or conf.get_mandatory_value("core", "dags_folder"))
        slots = tenant_slots(folder)
        made = make_pools(slots) + make_source_pools(source_slots(folder, slots))
        if conf.getboolean("dativo", "manage_roles"):
            made += make_roles(slots)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print("\n".join(made) or "no tenant found")


def tenant_slots(folder: Path) -> dict[str, int]:
    """How many tasks each tenant may run at once, by tenant. Raises `InvalidConfig`."""
    from dativo_provider.config import find_jobs, load_runner
    from dativo_provider.hooks.tenancy import concurrency

    runner = load_runner(folder)
    tenants = sorted({job.tenant for job in find_jobs(folder) if job.tenant})
    return {tenant: concurrency(tenant, folder, runner) or runner.concurrency_per_tenant for tenant in tenants}


def make_pools(slots: Mapping[str, int]) -> list[str]:
    """What was done, a line each. Pools of tenants that are gone are left alone: tasks may still wait in them."""
    from airflow.api.client import get_current_api_client

    client = get_current_api_client()
    for tenant, count in slots.items():
        client.create_pool(pool_name(tenant), count, f"Tasks of tenant {tenant} (made by Dativo)", True)
    return [f"pool {pool_name(tenant)}: {count} slots" for tenant, count in slots.items()]


def source_slots(folder: Path, tenants: Mapping[str, int]) -> dict[str, int]:
    """How many tasks may read each source at once: the least that a job names, and no more than its tenant has.

    Jobs with mistakes are left out: they have no tasks.
    """
    from dativo_provider.config import InvalidConfig, find_jobs, load_job

    environment, mode = _options()
    slots: dict[str, int] = {}
    for file in find_jobs(folder):
        try:
            job = load_job(file.path, root=folder, environment=environment, mode=mode, variables=os.environ)
        except InvalidConfig:
            continue
        if pool := source_pool(job):
            slots[pool] = min(job.source.pool_size, tenants.get(job.tenant, 1), slots.get(pool, job.source.pool_size))
    return slots


def _options() -> tuple[str, Mode]:
    from airflow.configuration import conf

    mode = conf.get("dativo", "mode", fallback="self_hosted")
    return conf.get("dativo", "environment", fallback=""), "cloud" if mode == "cloud" else "self_hosted"


def make_source_pools(slots: Mapping[str, int]) -> list[str]:
    from airflow.api.client import get_current_api_client

    client = get_current_api_client()
    for pool, count in slots.items():
        client.create_pool(pool, count, "Tasks that read one source (made by Dativo)", True)
    return [f"pool {pool}: {count} slots" for pool, count in slots.items()]


def make_roles(tenants: Collection[str]) -> list[str]:
    """Roles that see their tenant's DAGs; the DAGs themselves carry the rights. Raises `MissingExtra`."""
    try:
        from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    except ImportError as missing:
        raise MissingExtra(
            "[dativo] manage_roles needs the FAB auth manager", remedy="pip install apache-airflow-providers-fab"
        ) from missing
    with get_application_builder() as builder:
        for tenant in tenants:
            builder.sm.add_role(role_name(tenant))
    return [f"role {role_name(tenant)}: {', '.join(sorted(RIGHTS))} of its own DAGs" for tenant in tenants]


def validate_command(args: argparse.Namespace) -> None:
    from dativo_provider.config import check_paths

    problems = check_paths([Path(path) for path in args.paths])
    for problem in problems:
        print(problem)
    if any(problem.severity == "error" for problem in problems):
        sys.exit(2)
