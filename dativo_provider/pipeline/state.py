"""Where every lane of a job stands, and moving one by hand: a commit like any other, seen by the next plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, RetrySpec, StreamSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.position import is_after, position
from dativo_provider.model.run import Lane, RunRecord, State, new_id
from dativo_provider.model.stream import Cursor, Field, Window
from dativo_provider.pipeline.targets import open_target
from dativo_provider.pipeline.workplace import reading
from dativo_provider.vocabulary import RunStatus

__all__ = [
    "LaneState", "Retry", "check_idle", "chosen", "chosen_one", "cursor_at", "cursor_of", "lanes", "move", "outlook",
    "record_change",
]  # fmt: skip

_FAILED = ("failed", "blocked", "cancelled")


@dataclass(frozen=True)
class Retry:
    """Of a stream whose last run failed. `next_at` is None when nothing will start it again by itself."""

    attempts: int
    error: Mapping[str, Any] = field(default_factory=dict)
    failed_at: str = ""
    plan_id: str = ""
    next_at: str | None = None


@dataclass(frozen=True)
class LaneState:
    stream: str
    table: str
    lane: Lane
    state: State
    last: RunRecord | None = None
    retry: Retry | None = None


def lanes(job: JobSpec, ctx: RunContext, stream: str = "") -> list[LaneState]:
    """Every lane that has published, and the live lane of every stream."""
    target, found = open_target(job, ctx), []
    for spec in chosen(job, stream):
        suffixes = dict.fromkeys([Lane().suffix, *target.lanes(job, spec)])
        history = runs_of(job, spec, ctx)
        for lane in map(Lane.of, suffixes):
            live = history if lane == Lane() else []
            last = live[0] if live else None
            state = target.state(job, spec, lane)
            state = state if target.unfinished(job, spec, state) else replace(state, pending="")
            found.append(LaneState(spec.name, spec.table, lane, state, last, retry_of(live, job.retry)))
    return found


def chosen(job: JobSpec, stream: str) -> Sequence[StreamSpec]:
    found = [spec for spec in job.streams if stream in ("", spec.name)]
    if not found:
        raise ConfigurationError(
            f"{job.dag_id} has no stream '{stream}'", where=job.path,
            remedy=f"it has: {', '.join(spec.name for spec in job.streams)}",
        )  # fmt: skip
    return found


def chosen_one(job: JobSpec, stream: str) -> StreamSpec:
    """Raises `ConfigurationError` where several could be meant."""
    first, *others = chosen(job, stream)
    if others:
        raise ConfigurationError(
            "the job has several streams", where=job.path,
            remedy=f"name one: --stream {' or '.join(spec.name for spec in (first, *others))}",
        )  # fmt: skip
    return first


def runs_of(job: JobSpec, spec: StreamSpec, ctx: RunContext) -> list[RunRecord]:
    from dativo_provider.store import open_store

    return list(open_store(ctx).runs(tenant=job.tenant, job=job.name, stream=spec.name, limit=50))


def retry_of(history: Sequence[RunRecord], retry: RetrySpec) -> Retry | None:
    """From the newest run back to the last one that did not fail."""
    failed = list(takewhile(lambda record: record.status in _FAILED, history))
    if not failed:
        return None
    last, attempts = failed[0], len(failed)
    again = bool(last.error.get("retryable")) and attempts <= retry.max_retries and last.finished_at
    due = datetime.fromisoformat(last.finished_at) + timedelta(seconds=retry.delay(attempts)) if again else None
    return Retry(attempts, last.error, last.finished_at, last.plan_id, due.isoformat() if due else None)


def check_idle(job: JobSpec, spec: StreamSpec, ctx: RunContext) -> None:
    """Raises `ConfigurationError` while a run of the stream is under way, as far as the metadata store knows."""
    from dativo_provider.store import open_store

    running = open_store(ctx).runs(tenant=job.tenant, job=job.name, stream=spec.name, status="running", limit=1)
    if running:
        raise ConfigurationError(
            f"run {running[0].plan_id} of '{spec.name}' began at {running[0].started_at} and has not ended",
            where=job.dag_id,
            remedy="wait for it; or repeat with --force: if it still runs, it will be fenced and publish nothing",
        )


def cursor_at(job: JobSpec, spec: StreamSpec, now: State, text: str, ctx: RunContext) -> Cursor:
    """`text` as a value of the cursor's column: as the state knows its type, else the source."""
    name = spec.incremental.cursor_field
    known = dict(now.cursor.value) if now.cursor else {}
    if {"column", "type", "value"} <= set(known) and known["column"] == name:
        return position(Field(name, str(known["type"])), text)
    if not name:
        raise ConfigurationError(
            f"'{spec.name}' has no cursor column: what it has read is told by its reader alone", where=job.path,
            remedy="give the whole cursor with --cursor JSON (`dativo state export` shows its form), or reset it",
        )  # fmt: skip
    with reading(job, ctx) as reader:
        if not reader.capabilities.ordered_cursor:
            raise ConfigurationError(
                f"the cursor of '{spec.name}' is not a value of a column", where=job.path,
                remedy="give the whole cursor with --cursor JSON (`dativo state export` shows its form), or reset it",
            )  # fmt: skip
        column = next((each for each in reader.describe(spec).fields if each.name == name), None)
    return position(column or Field(name), text)


def cursor_of(job: JobSpec, spec: StreamSpec, now: State, written: Mapping[str, Any], ctx: RunContext) -> Cursor:
    """A whole cursor as written, if it has the form of this stream's, and its value is one of the column's."""
    known, name = dict(now.cursor.value) if now.cursor else {}, spec.incremental.cursor_field
    if "value" in written and written.get("column") == name:
        return cursor_at(job, spec, now, str(written["value"]), ctx)
    if "value" in written or "value" in known:
        raise ConfigurationError(
            f"the cursor of '{spec.name}' is a value of " + (f"column '{name}'" if name else "no column"),
            where=job.path,
            remedy="give its value with --to VALUE" if name else "`dativo state export` shows the form of its cursor",
        )
    if known and written.keys() != known.keys():
        raise ConfigurationError(
            f"the cursor of '{spec.name}' holds {', '.join(known)}, and this one {', '.join(written)}", where=job.path,
            remedy="`dativo state export` shows its form",
        )  # fmt: skip
    return Cursor(written)


def move(job: JobSpec, spec: StreamSpec, lane: Lane, cursor: Cursor | None, note: str, ctx: RunContext) -> State:
    """The lane's new record, at `cursor`. Makes the table when there is none yet. Raises `Fenced`."""
    target = open_target(job, ctx)
    before = target.state(job, spec, lane)
    if before == State():
        _make_table(job, spec, ctx)
    passed = before.seq > 0 and not is_after(cursor, before.cursor)
    moved = replace(before.step(new_id(ctx.now())), cursor=cursor, rewound=passed or before.rewound)
    target.set_state(job, spec, lane, before, moved)
    record_change(job, spec, moved.runs[-1], "state_changed", note, ctx)
    return moved


def _make_table(job: JobSpec, spec: StreamSpec, ctx: RunContext) -> None:
    if not spec.contract.fields:
        raise ConfigurationError(
            f"'{spec.name}' has no table yet, and no contract to make it by", where=job.path,
            remedy="run the job once, or give the stream a contract; then repeat",
        )  # fmt: skip
    open_target(job, ctx).prepare(job, spec, spec.contract.fields)


def record_change(job: JobSpec, spec: StreamSpec, plan_id: str, status: RunStatus, note: str, ctx: RunContext) -> None:
    """Changes by hand stand among the runs, so that `dativo runs` explains a cursor that jumped."""
    from dativo_provider.store import open_store

    at = ctx.now().isoformat()
    record = RunRecord(
        plan_id=plan_id,
        run_id=plan_id,
        tenant=job.tenant,
        job=job.name,
        stream=spec.name,
        status=status,
        started_at=at,
        finished_at=at,
        window=Window(notes=(note,)),
        contract_version=spec.contract.version,
    )
    open_store(ctx).finish(record)


def outlook(job: JobSpec, spec: StreamSpec, state: State) -> str:
    """What the next run of the live lane will do, in a sentence."""
    strategy = spec.incremental.strategy
    if strategy == "full_refresh" or TRAITS[job.target.mode].reads_all:
        return "the next run reads everything, whatever the cursor says"
    value = dict(state.cursor.value) if state.cursor else {}
    if "files" in value:
        reads = f"reads the files that are not among the {len(value['files'])} it knows, or have changed"
    elif "value" in value:
        reads = f"reads rows whose {value.get('column') or 'cursor'} is at or after {value['value']}"
    else:
        reads = "goes on where its cursor says" if value else "reads from the beginning"
    if not state.rewound or not TRAITS[job.target.mode].adds:
        return f"the next run {reads}"
    if spec.key:
        return f"the next run {reads}; rows that are published already are told by {', '.join(spec.key)} and left out"
    return (
        f"the next run would read what is published already, and '{spec.name}' has no key to tell those rows by: "
        "it will be refused until the stream has a key or is run with --full-refresh"
    )
