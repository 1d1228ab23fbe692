"""Which target a run works against: the job's, or for a dry run one that keeps nothing."""

from __future__ import annotations

from dativo_provider.connectors.registry import require
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.target import Target


def open_target(job: JobSpec, ctx: RunContext, *, dry_run: bool = False) -> Target:
    """As the registry says for `target.connector`. Raises `Unsupported` when this version only knows it by name."""
    from dativo_provider.pipeline.dry_run import DryRunTarget

    info = require(job.target.connector, "target", ctx.settings.mode)
    target: Target = info.load("target")(job, ctx)
    return DryRunTarget(target) if dry_run else target
