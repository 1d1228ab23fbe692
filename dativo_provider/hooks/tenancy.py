"""What a tenant is called in Airflow's own tables: its pool, its role and what the role may do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from dativo_provider.config import RunnerSpec, load_tenant
from dativo_provider.model.job import JobSpec

__all__ = ["RIGHTS", "concurrency", "pool_name", "role_name", "source_pool"]

# FAB's resource names: https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/access-control.html
RIGHTS: Mapping[str, frozenset[str]] = {
    "DAGs": frozenset({"can_read", "can_edit"}),
    "DAG Runs": frozenset({"can_create", "can_read"}),
}
_PLACE = ("host", "hostname", "server", "url", "port", "database", "account")  # of these a source's address consists


def pool_name(tenant: str) -> str:
    return f"dativo_{tenant}"


def source_pool(job: JobSpec) -> str:
    """The pool of everything that reads the same source as `job`, by connection id or address; empty for files."""
    source = job.source
    if source.connection_id:
        return f"{pool_name(job.tenant)}.{source.connection_id}"
    place = {name: str(source.connection[name]) for name in _PLACE if source.connection.get(name)}
    if not place:
        return ""
    digest = hashlib.sha256(json.dumps([source.connector, place], sort_keys=True).encode()).hexdigest()
    return f"{pool_name(job.tenant)}.{source.connector}-{digest[:8]}"


def role_name(tenant: str) -> str:
    return f"dativo_{tenant}"


def concurrency(tenant: str, root: Path, runner: RunnerSpec) -> int:
    """How many tasks of `tenant` may run at once: its own file first, then runner.yaml; 0 where neither is.

    Raises `InvalidConfig` for a tenant.yaml with mistakes.
    """
    paths = (root / "tenants" / tenant / name for name in ("tenant.yaml", "tenant.yml"))
    own = next((load_tenant(path).concurrency for path in paths if path.is_file()), None)
    return own or (runner.concurrency_per_tenant if runner.path else 0)
