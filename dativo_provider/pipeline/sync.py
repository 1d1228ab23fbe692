"""sync: tell the rest of the world what was published. A step of its own, because none of it may undo a publish."""

from __future__ import annotations

from dativo_provider.model.context import RunContext
from dativo_provider.pipeline.alerts import watch
from dativo_provider.pipeline.notices import tell_verdict
from dativo_provider.pipeline.report import leave_report
from dativo_provider.pipeline.workplace import open_run

__all__ = ["sync"]


def sync(plan_uri: str, ctx: RunContext) -> int:
    """Delivers store records that were delayed, tells people what the contract and the alert rules want them to know
    of the run, leaves its report, and sweeps what runs of this stream left behind for too long.

    The number of staged files removed.
    """
    from dativo_provider.store import open_store

    folder, plan, target = open_run(plan_uri, ctx)
    open_store(ctx).deliver()
    tell_verdict(plan, folder.verdict(), ctx)
    watch(plan, folder, target, ctx)
    leave_report(folder, plan, ctx)
    return target.sweep_old(plan)
