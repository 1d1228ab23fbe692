"""What a tenant is called in Airflow's own tables: its pool, its role and what the role may do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dativo_provider.config import RunnerSpec, load_tenant

__all__ = ["RIGHTS", "concurrency", "pool_name", "role_name"]

# FAB's resource names: https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/access-control.html
RIGHTS: Mapping[str, frozenset[str]] = {
    "DAGs": frozenset({"can_read", "can_edit"}),
    "DAG Runs": frozenset({"can_create", "can_read"}),
}


def pool_name(tenant: str) -> str:
    return f"dativo_{tenant}"


def role_name(tenant: str) -> str:
    return f"dativo_{tenant}"


def concurrency(tenant: str, root: Path, runner: RunnerSpec) -> int:
    """How many tasks of `tenant` may run at once: its own file first, then runner.yaml; 0 where neither is.

    Raises `InvalidConfig` for a tenant.yaml with mistakes.
    """
    paths = (root / "tenants" / tenant / name for name in ("tenant.yaml", "tenant.yml"))
    own = next((load_tenant(path).concurrency for path in paths if path.is_file()), None)
    return own or (runner.concurrency_per_tenant if runner.path else 0)
