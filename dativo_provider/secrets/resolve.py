"""`${VAR}` and `${SECRET:NAME}` become values: late, inside a step, for one job."""

from __future__ import annotations

from typing import Any, TypeVar

from dativo_provider.config.references import expand
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec

__all__ = ["resolve"]

T = TypeVar("T")
_SECRETS = "DATIVO_SECRET__"


def resolve(value: T, job: JobSpec, ctx: RunContext) -> T:
    """`value` with every reference replaced, at any depth.

    A job sees the variables its tenant is allowed, and never the variables that hold secrets: those are read
    by `${SECRET:NAME}` only, which knows whose they are.
    """
    visible = {name: text for name, text in ctx.variables.items() if not name.upper().startswith(_SECRETS)}
    found: Any = expand(value, visible, job.allowed_variables, lambda name: ctx.secrets.get(job.tenant, name))
    return found  # type: ignore[no-any-return]
