"""The cursor a run starts from, which its plan does not repeat where it is large.

A stream of 10,000 files knows each of them: in every plan.json that would be megabytes a run. The table's state has
them, and is the plan's base as long as the lane's `seq` is the plan's; once it is not, publish does not publish.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from dativo_provider.errors import Fenced
from dativo_provider.model.run import Plan
from dativo_provider.model.stream import Cursor
from dativo_provider.model.target import Target

__all__ = ["base_cursor", "without_large_cursor"]

_LARGEST = 1024  # bytes, as in the table's property


def without_large_cursor(plan: Plan) -> Plan:
    """The plan as it is written down."""
    cursor = plan.base.cursor
    if cursor is None or len(json.dumps(dict(cursor.value), default=str)) <= _LARGEST:
        return plan
    small = {name: part for name, part in cursor.value.items() if not isinstance(part, Mapping)}
    return replace(plan, base=replace(plan.base, cursor=Cursor(small)), cursor_in_state=len(small) < len(cursor.value))


def base_cursor(plan: Plan, target: Target) -> Cursor | None:
    """Raises `Fenced` when the table knows less than it did when the run was planned."""
    if not plan.cursor_in_state:
        return plan.base.cursor
    now = target.state(plan.job, plan.spec, plan.lane)
    if now.seq < plan.base.seq:
        raise Fenced(
            f"the table's state is older than the plan ({now.seq} after {plan.base.seq}): it was made anew or restored",
            where=f"{plan.table} {plan.state_key}",
            remedy="start a new run; nothing of this one was published",
        )
    return now.cursor
