"""What a check is given and what it says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec

__all__ = ["Finding", "Patient", "Status", "fail", "ok", "warn"]

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Patient:
    """A deployment as one process sees it. `pools` are the names Airflow knows; None: cannot be seen from here."""

    ctx: RunContext
    jobs: Sequence[JobSpec] = ()
    broken: Sequence[str] = ()  # job files that do not load
    sources: bool = False
    executor: str = ""
    pools: Callable[[], Collection[str] | None] = lambda: None


@dataclass(frozen=True)
class Finding:
    check: str
    status: Status
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    return Finding(check, "ok", message)


def warn(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, "warn", message, remedy)


def fail(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, "fail", message, remedy)
