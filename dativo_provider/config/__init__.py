"""YAML to typed, located, resolved models. This module is the room's public face.

Names are loaded when asked for: a task that only resolves references does not build the models of every file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dativo_provider.config.check import check_paths
    from dativo_provider.config.find import JobFile, find_jobs
    from dativo_provider.config.jobs import load_job
    from dativo_provider.config.problems import InvalidConfig, Problem
    from dativo_provider.config.runners import RunnerSpec, ScheduledJob, SecretsSpec, load_runner
    from dativo_provider.config.schemas import json_schemas
    from dativo_provider.config.settings import settings_from
    from dativo_provider.config.tenants import TenantSpec, load_tenant

__all__ = [
    "InvalidConfig",
    "JobFile",
    "Problem",
    "RunnerSpec",
    "ScheduledJob",
    "SecretsSpec",
    "TenantSpec",
    "check_paths",
    "find_jobs",
    "json_schemas",
    "load_job",
    "load_runner",
    "load_tenant",
    "settings_from",
]

_HOMES = {
    "InvalidConfig": "problems", "JobFile": "find", "Problem": "problems", "RunnerSpec": "runners",
    "ScheduledJob": "runners", "SecretsSpec": "runners", "TenantSpec": "tenants", "check_paths": "check",
    "find_jobs": "find", "json_schemas": "schemas", "load_job": "jobs", "load_runner": "runners",
    "load_tenant": "tenants", "settings_from": "settings",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
