"""approve and reject: what becomes of a run that waits on its branch (`publish: branch`)."""

from __future__ import annotations

from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Published, new_id
from dativo_provider.pipeline import records
from dativo_provider.pipeline.audit import final_manifests
from dativo_provider.pipeline.publish import next_cursor, settle
from dativo_provider.pipeline.workplace import open_run

__all__ = ["approve", "reject"]


def approve(plan_uri: str, ctx: RunContext) -> Published:
    """Publishes the run, once. Raises `ConfigurationError` when it does not wait, `Fenced` when main has moved."""
    folder, plan, target = open_run(plan_uri, ctx)
    manifests = final_manifests(folder, plan)
    cursor = next_cursor(plan, manifests, target)
    outcome = target.approve(plan, manifests, cursor)
    settle(folder, plan, manifests, cursor, outcome, ctx)
    return outcome


def reject(plan_uri: str, ctx: RunContext) -> int:
    """Drops the run's branch and its files; the number of files removed. The next run reads the same again."""
    _folder, plan, target = open_run(plan_uri, ctx)
    target.reject(plan, new_id(ctx.now()))
    records.rejected(plan, ctx)
    return target.sweep(plan)
