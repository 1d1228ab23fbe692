"""Deletes by absence: what a full load does not bring is gone from the source, if the load can be believed."""

from __future__ import annotations

from dativo_provider.errors import ContractViolation
from dativo_provider.lake.modes.base import Work
from dativo_provider.model.run import Plan

__all__ = ["LARGEST_SHARE", "check_share", "takes_missing"]

LARGEST_SHARE = 0.10


def takes_missing(work: Work) -> bool:
    """Not for a part of the rows, nor where a row was set aside whose key is unknown: it might be the missing one."""
    plan = work.plan
    full = plan.window.kind == "full" and plan.lane.kind == "live"
    return plan.job.target.delete_missing and full and not work.unread


def check_share(plan: Plan, missing: int, rows: int) -> None:
    """Raises `ContractViolation` when more than a tenth of the table would go."""
    if missing <= rows * LARGEST_SHARE or plan.job.target.allow_mass_delete:
        return
    raise ContractViolation(
        f"{missing} of the {rows} rows of the table are missing in this full load, and would be deleted",
        where=plan.table,
        remedy="check that the source is whole; set target.allow_mass_delete: true if they are meant to go",
    )
