"""plan: freeze the job, the window, the base state and the slices of one stream's run into plan.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, Fenced, Unsupported
from dativo_provider.lake.home import guard_settings, home_identity
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.reader import Reader
from dativo_provider.model.run import Plan, RunRequest, State, new_id
from dativo_provider.model.stream import Field, Slice, Stream, Window, WindowRequest
from dativo_provider.model.target import Target, TargetTable
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.inbox import checks as replay_checks
from dativo_provider.pipeline.keyed import require_key
from dativo_provider.pipeline.lookups import Pinning
from dativo_provider.pipeline.overlap import told_apart
from dativo_provider.pipeline.records import begin, not_planned
from dativo_provider.pipeline.sample import with_sampled_types
from dativo_provider.pipeline.schema import cast_fields, decide, judged_by, typed
from dativo_provider.pipeline.sizing import cut_slices
from dativo_provider.pipeline.targets import open_target
from dativo_provider.pipeline.whole import reading_whole
from dativo_provider.pipeline.workplace import label, reading, run_files, runs_folder
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.vocabulary import WriteMode

if TYPE_CHECKING:
    from dativo_provider.transform.lookups import Lookup

__all__ = ["checks_of", "plan"]


def plan(job: JobSpec, stream: str, ctx: RunContext, request: RunRequest) -> Plan:
    """Writes the plan and returns it. Touches the source for its schema and bounds only.

    Raises `Unsupported`, `ConfigurationError`, `CredentialError`, `DataError` or a `RetryableError`; the
    target's data is untouched in every case.
    """
    refuse_unsupported(job)
    guard_settings(ctx.settings)
    plan_id = new_id(ctx.now())
    label(ctx, job, stream, request.run_id, plan_id)
    ctx.event("job_started", f"planning {job.dag_id} {stream}")
    with not_planned(job, stream, plan_id, request, ctx):
        target = open_target(job, ctx, dry_run=request.dry_run)
        with reading(job, ctx) as reader:
            made = _plan(job, job.stream(stream), ctx, request, plan_id, target, reader)
    RunFolder(run_files(made.folder, ctx), made.folder).write_plan(made)
    begin(made, ctx)
    ctx.event("job_validated", f"slices to read: {len(made.slices)}", window=made.window.kind)
    return made


def refuse_unsupported(job: JobSpec) -> None:
    if job.unsupported:
        raise Unsupported("; ".join(job.unsupported), where=job.path or job.dag_id)


def _plan(
    job: JobSpec, spec: StreamSpec, ctx: RunContext, request: RunRequest, plan_id: str, target: Target, reader: Reader
) -> Plan:
    refuse_while_waiting(job, spec, target)
    described = reader.describe(spec)
    known = target.columns(job, spec) or ()
    decided = decide(job, spec, described, known)
    lanes = request.replay.lanes if request.replay else target.lanes(job, spec)
    state, window = _window(job, spec, request, target, reader)
    settled = with_sampled_types(decided.fields, job, spec, described, known, window, reader)
    folder = f"{_parent_folder(job, spec, request, ctx)}/{plan_id}"
    pins, lookups = Pinning(job, folder, target, ctx).pinned()
    fields = table_fields(job, described, settled, lookups)
    require_key(job, spec, fields)
    job = _settled(job, fields, effective_mode(job, window, state, request))
    window = told_apart(job, spec, window, request.lane, state, lanes)
    changes = target.changes(job, spec, fields)
    table = _table_names(target.prepare(job, spec, fields))
    slices = cut_slices(job, spec, window, request, reader, ctx)
    checks, notes = replay_checks.judging(checks_of(job, spec, fields), request.replay, fields)
    return Plan(
        plan_id=plan_id,
        run_id=request.run_id or plan_id,
        job=job,
        stream=spec.name,
        lane=request.lane,
        request=request,
        **table,
        folder=folder,
        fields=fields,
        checks=checks,
        window=_with_notes(window, slices, reader, notes),
        slices=slices,
        base=state,
        cursor_in_state=False,  # here it is whole; what is written down may refer to the state
        created_at=ctx.now().isoformat(),
        home=home_identity(ctx.settings),
        source_fields=described.fields,
        drift=decided.drift,
        table_changes=changes,
        lanes=lanes,
        lookups=pins,
    )


def _settled(job: JobSpec, fields: Sequence[Field], mode: WriteMode) -> JobSpec:
    return replace(job, transforms=typed(job.transforms, fields), target=replace(job.target, mode=mode))


def _check_unmoved(spec: StreamSpec, request: RunRequest, state: State) -> None:
    """The rows of a replay were chosen before its plan; what was published since may be the same."""
    if request.replay and state.seq != request.replay.lanes.get(request.lane.suffix, 0):
        raise Fenced(
            "another replay has published since the rows of this one were chosen",
            where=spec.name,
            remedy="start a new replay; nothing of this one was published",
        )


def _table_names(table: TargetTable) -> dict[str, str]:
    return {
        "table": table.table,
        "table_location": table.location,
        "quarantine_table": table.quarantine_table,
        "quarantine_location": table.quarantine_location,
    }


def checks_of(job: JobSpec, spec: StreamSpec, fields: Sequence[Field]) -> tuple[CheckSpec, ...]:
    cursor, judged = spec.incremental.cursor_field, judged_by(job, spec, fields)
    return compile_rules(
        spec.contract.rules, fields, job.enforcement, job.schema_validation, cursor, judged, spec.contract.handling
    )


def refuse_while_waiting(job: JobSpec, spec: StreamSpec, target: Target) -> None:
    """A run beside one that may yet be published would read the same rows again."""
    if found := target.waiting(job, spec):
        raise ConfigurationError(
            f"run {found} of '{spec.name}' waits for its approval",
            where=job.path or job.dag_id,
            remedy=f"decide on it first: dativo approve (or reject) --config {job.path or 'FILE'} --run {found}",
        )


def _parent_folder(job: JobSpec, spec: StreamSpec, request: RunRequest, ctx: RunContext) -> str:
    from dativo_provider.pipeline.dry_run import dry_run_folder

    return dry_run_folder() if request.dry_run else runs_folder(job, spec.name, ctx)


def table_fields(
    job: JobSpec, described: Stream, wanted: Sequence[Field], lookups: Sequence[Lookup]
) -> tuple[Field, ...]:
    """The table's columns: those decided on, then what transformations add."""
    from dativo_provider.transform.sql import plan_columns

    rows = cast_fields(wanted, job.transforms, described.fields)
    made = {field.name: field for field in plan_columns(typed(job.transforms, wanted), rows, lookups)}
    return (*wanted, *(field for name, field in made.items() if name not in {field.name for field in wanted}))


def _window(
    job: JobSpec, spec: StreamSpec, request: RunRequest, target: Target, reader: Reader
) -> tuple[State, Window]:
    state = target.state(job, spec, request.lane)
    _check_unmoved(spec, request, state)
    full = request.full_refresh or TRAITS[job.target.mode].reads_all or spec.incremental.strategy == "full_refresh"
    traits = TRAITS[job.target.mode]
    part = traits.keyed or (traits.adds and bool(spec.key))  # rows of the last moment come again
    wanted = WindowRequest(state.cursor, full, request.start, request.end, part)
    if full and (request.start or request.end):
        raise ConfigurationError(
            "a full load has no range to backfill",
            where=job.path or job.dag_id,
            remedy="give the stream an incremental cursor, or run without --from/--to",
        )
    return state, reading_whole(job, reader.window(spec, wanted))


def effective_mode(job: JobSpec, window: Window, state: State, request: RunRequest) -> WriteMode:
    """A full reading of a stream that already has rows replaces them: appending would double every row.

    An operator who asks for one means that whatever the live lane knows: a backfill may have brought rows before it.
    """
    again = window.kind == "full" and (state.seq > 0 or request.full_refresh) and request.lane.kind == "live"
    return TRAITS[job.target.mode].again or job.target.mode if again else job.target.mode


def _with_notes(window: Window, slices: Sequence[Slice], reader: Reader, notes: tuple[str, ...]) -> Window:
    if len(slices) > 1 and window.kind == "full" and reader.capabilities.point_in_time:
        apart = "each with a snapshot of its own: together they are not one point in time"
        notes = (*notes, f"read in {len(slices)} slices, {apart}")
    return replace(window, notes=(*window.notes, *notes))
