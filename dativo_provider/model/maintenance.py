"""What maintenance may do to a table, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dativo_provider.vocabulary import MaintenanceJob

__all__ = ["Amount", "MaintenanceSchedule", "MaintenanceSpec", "Upkeep"]


@dataclass(frozen=True)
class MaintenanceSpec:
    """Thresholds of the maintenance jobs. Sizes in MB, ages in days; `jobs` empty: all of them."""

    jobs: tuple[MaintenanceJob, ...] = ()
    target_mb: int = 150
    min_files: int = 5
    min_manifests: int = 50
    retention_days: float = 7
    keep_snapshots: int = 20
    keep_metadata: int = 100
    orphan_days: float = 3
    run_days: float = 90


@dataclass(frozen=True)
class MaintenanceSchedule:
    """When a tenant's maintenance DAG runs; no `cron`: by hand only."""

    enabled: bool = True
    cron: str = "17 2 * * *"
    timezone: str = "UTC"


@dataclass(frozen=True)
class Amount:
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Upkeep:
    """One job's work at one table: how many files and bytes of `what` there were and are (or would be)."""

    job: str
    table: str
    what: str
    before: Amount = Amount()
    after: Amount = Amount()
    outcome: Literal["done", "planned", "nothing", "skipped", "failed"] = "nothing"
    note: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)
