"""approve and reject: what becomes of a run that waits on its branch (`publish: branch`)."""

from __future__ import annotations

from dataclasses import replace

from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Published
from dativo_provider.pipeline import records
from dativo_provider.pipeline.audit import final_manifests
from dativo_provider.pipeline.publish import next_cursor, settle
from dativo_provider.pipeline.workplace import open_folder, open_run

__all__ = ["approve", "outcome_of", "reject"]


def outcome_of(plan_uri: str, ctx: RunContext) -> Published | None:
    """How the run's publish ended, as its folder has it; None before it has."""
    return open_folder(plan_uri, ctx).published()


def approve(plan_uri: str, ctx: RunContext, by: str = "") -> Published:
    """Publishes the run, once; `by` names who said so. Raises `ConfigurationError` when it does not wait, and
    `Fenced` when main has moved and the run cannot be put on top."""
    folder, plan, target = open_run(plan_uri, ctx)
    manifests, before = final_manifests(folder, plan), folder.published()
    cursor = next_cursor(plan, manifests, target)
    outcome = target.approve(plan, manifests, cursor)
    outcome = replace(outcome, decided_by=_decided(before, by))
    settle(folder, plan, manifests, cursor, outcome, ctx)
    return outcome


def reject(plan_uri: str, ctx: RunContext, by: str = "") -> int:
    """Drops the run's branch and its files; the number of files removed. The next run reads the same again."""
    folder, plan, target = open_run(plan_uri, ctx)
    target.reject(plan)
    outcome = Published("rejected", table=plan.table, decided_by=_decided(folder.published(), by))
    folder.write_published(outcome)
    records.rejected(plan, outcome.decided_by, ctx)
    return target.sweep(plan)


def _decided(before: Published | None, by: str) -> str:
    """Who was first: deciding once more changes nothing."""
    return by if before is None or before.outcome == "waiting" else before.decided_by
