"""Lanes of one stream beside each other: a run that has compared its rows with what was published is right only as
long as no lane that may bring the same rows publishes before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from dativo_provider.errors import Fenced
from dativo_provider.files import FileStore
from dativo_provider.lake.state import own_lanes, read_state, state_key
from dativo_provider.model.job import JobSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Lane, Plan

__all__ = ["fence_lanes", "lanes_of", "ranges_meet"]

Bound = int | datetime | None
_BACKFILL = ".backfill."


def lanes_of(properties: Mapping[str, str], job: JobSpec, stream: str, files: FileStore, where: str) -> dict[str, int]:
    """The `seq` of every lane of the stream that has published, by `Lane.suffix`."""
    live = state_key(job, stream, Lane())
    keys = own_lanes(properties, job, stream)
    return {key.removeprefix(live): read_state(properties, key, files, where).seq for key in keys}


def fence_lanes(plan: Plan, properties: Mapping[str, str], files: FileStore) -> None:
    """Raises `Fenced` when another lane, whose rows may be those of `plan`, has published since it was made."""
    if plan.lanes is None:
        return
    now = lanes_of(properties, plan.job, plan.stream, files, plan.table)
    for suffix in sorted(now.keys() - {plan.lane.suffix}):
        if now[suffix] != plan.lanes.get(suffix, 0) and _may_meet(plan, suffix):
            raise Fenced(
                f"a run of the lane '{suffix.removeprefix('.') or 'live'}' has published since the plan, "
                "and may have brought the same rows",
                where=f"{plan.table} {plan.state_key}",
                remedy="start a new run: it compares its rows with those; nothing of this one was published",
            )


def _may_meet(plan: Plan, suffix: str) -> bool:
    if TRAITS[plan.job.target.mode].reads_all or plan.lane.kind == "replay":
        return True
    if Lane.of(suffix).kind == "replay":  # of rows that had been read before, which only an overlap brings again
        return plan.window.overlap
    return _meet(_range(plan.lane.suffix) or _bounds(plan.window.lo, plan.window.hi), _range(suffix))


def ranges_meet(suffix: str, other: str) -> bool:
    """Whether two lanes may hold the same rows: False only for backfills whose ranges certainly lie apart."""
    return _meet(_range(suffix), _range(other))


def _meet(own: tuple[Bound, Bound] | None, other: tuple[Bound, Bound] | None) -> bool:
    if own is None or other is None:
        return True
    try:
        return not (_before(own[1], other[0]) or _before(other[1], own[0]))
    except TypeError:  # a number and a moment
        return True


def _before(end: Bound, start: Bound) -> bool:
    return end is not None and start is not None and end <= start  # type: ignore[operator]


def _range(suffix: str) -> tuple[Bound, Bound] | None:
    """The bounds a backfill was asked for, which are its lane's name; None for other lanes."""
    if not suffix.startswith(_BACKFILL):
        return None
    start, _, end = suffix.removeprefix(_BACKFILL).partition("_")
    return _bounds(start, end)


def _bounds(low: object, high: object) -> tuple[Bound, Bound] | None:
    """None when one cannot be read."""
    try:
        return _bound(str(low or "")), _bound(str(high or ""))
    except ValueError:
        return None


def _bound(text: str) -> Bound:
    if not text:
        return None
    if text.lstrip("-").isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
