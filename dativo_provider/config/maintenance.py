"""`maintenance:` resolved: the tenant's wishes, and a job's over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.config.shapes.maintenance import Maintenance
from dativo_provider.config.shapes.tenant import TenantMaintenance
from dativo_provider.model.maintenance import MaintenanceSchedule, MaintenanceSpec

__all__ = ["maintenance_spec", "schedule_of", "thresholds"]

_SCHEDULE = ("enabled", "manual", "cron", "timezone")


def thresholds(shape: Maintenance | None) -> dict[str, Any]:
    """What was written, by the names of `MaintenanceSpec`."""
    given = shape.model_dump(exclude_none=True, exclude=set(_SCHEDULE)) if shape else {}
    if "target_size_mb" in given:
        given["target_mb"] = given.pop("target_size_mb")
    return {**given, "jobs": tuple(given["jobs"])} if "jobs" in given else given


def maintenance_spec(tenant: Mapping[str, Any], job: Maintenance | None, target_mb: int) -> MaintenanceSpec:
    return MaintenanceSpec(**{"target_mb": target_mb, **tenant, **thresholds(job)})


def schedule_of(shape: TenantMaintenance | None) -> MaintenanceSchedule:
    given = shape or TenantMaintenance()
    return MaintenanceSchedule(given.enabled, "" if given.manual else given.cron, given.timezone)
