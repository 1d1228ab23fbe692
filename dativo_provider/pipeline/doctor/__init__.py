"""doctor: what is wrong with a deployment, before the data finds out. One leaf per check."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from dativo_provider.errors import DativoError
from dativo_provider.pipeline.doctor.base import Finding, Patient, Status, fail

__all__ = ["CHECKS", "Finding", "Patient", "Status", "examine"]

# The cheap and local ones first. Each is a module here with `check(patient) -> Iterator[Finding]`.
CHECKS = (
    "executor", "versions", "home", "disk", "memory", "warehouse", "clock", "catalog", "store", "jobs", "secrets",
    "environments", "pools", "sources",
)  # fmt: skip


def examine(patient: Patient) -> Iterator[Finding]:
    """Findings as they are made. A check that cannot end is a finding too."""
    for name in CHECKS:
        patient.ctx.check_cancelled()
        yield from _one(name, patient)


def _one(name: str, patient: Patient) -> Iterator[Finding]:
    try:
        yield from import_module(f"{__name__}.{name}").check(patient)
    except DativoError as problem:
        where = f"{problem.where}: " if problem.where else ""
        yield fail(name, f"{where}{problem.message}", problem.remedy)
    except Exception as problem:
        patient.ctx.log.debug("unexpected", exc_info=problem)
        yield fail(name, f"the check ended with {type(problem).__name__}", "run again with --verbose, and report this")
