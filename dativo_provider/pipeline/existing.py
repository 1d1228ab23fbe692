"""A contract held against rows that exist already, as a dry run would: cast, row checks, dataset checks, verdict."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dativo_provider.model.batch import Batch, Unrepresentable
from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.run import Lane, Manifest, Plan, RunRequest, State, new_id
from dativo_provider.model.stream import Field, Stream, Window
from dativo_provider.model.target import StagedKind
from dativo_provider.pipeline.audit import judge
from dativo_provider.pipeline.dry_run import dry_run_folder
from dativo_provider.pipeline.plan import checks_of
from dativo_provider.pipeline.rows import RowPath
from dativo_provider.pipeline.schema import decide
from dativo_provider.pipeline.targets import open_target

__all__ = ["Checked", "Rows", "check_rows"]


@dataclass(frozen=True)
class Rows:
    """Rows somewhere, with the types they have there. `batches(as_text)` reads them, as often as asked, the named
    columns as text; it may raise `Unrepresentable`."""

    name: str
    fields: tuple[Field, ...]
    batches: Callable[[Sequence[str]], Iterator[Batch]]
    loose: bool = False  # types are guessed from the first rows


@dataclass(frozen=True)
class Checked:
    plan: Plan
    books: Books
    verdict: Verdict


def check_rows(job: JobSpec, spec: StreamSpec, rows: Rows, ctx: RunContext) -> Checked:
    """Writes to a temporary folder only. Raises what a plan raises for a schema that does not fit."""
    plan = _plan(_plain(job, spec), spec, rows, ctx)
    try:
        return _checked(plan, rows, ctx)
    finally:
        shutil.rmtree(Path(plan.folder.removeprefix("file://")).parent, ignore_errors=True)


def _plain(job: JobSpec, spec: StreamSpec) -> JobSpec:
    """Without what is done to rows on their way: these have arrived."""
    target = replace(job.target, mode="append", system_columns=False, delete_flag=None, delete_missing=False)
    return replace(job, transforms=(), lookups=(), streams=(spec,), target=target)


def _plan(job: JobSpec, spec: StreamSpec, rows: Rows, ctx: RunContext) -> Plan:
    decided = decide(job, spec, Stream(spec.name, rows.fields), ())
    plan_id = new_id(ctx.now())
    return Plan(
        plan_id=plan_id,
        run_id=plan_id,
        job=job,
        stream=spec.name,
        lane=Lane(),
        request=RunRequest(dry_run=True),
        table=rows.name,
        quarantine_table="",
        table_location="",
        quarantine_location="",
        folder=f"{dry_run_folder()}/{plan_id}",
        fields=decided.fields,
        checks=checks_of(job, spec, decided.fields),
        window=Window(),
        slices=(),
        base=State(),
        created_at=ctx.now().isoformat(),
        source_fields=rows.fields,
        drift=decided.drift,
    )


def _checked(plan: Plan, rows: Rows, ctx: RunContext) -> Checked:
    target = open_target(plan.job, ctx, dry_run=True)
    as_text: tuple[str, ...] = ()
    while True:
        data, aside, marks = (target.stage(plan, len(as_text), "check", kind) for kind in _KINDS)
        path = RowPath(plan, target, data, aside, marks, ctx)
        try:
            for batch in rows.batches(as_text):
                path.take(batch)
        except Unrepresentable as lost:  # read again with that column as text, as a run does
            if set(lost.columns) <= set(as_text):
                raise
            as_text += lost.columns
            continue
        finally:
            path.release()
        books, results = path.close()
        manifest = Manifest(plan.plan_id, 0, "check", data.close(), aside.close(), books, results)
        marks.close()
        return Checked(plan, books, judge(plan, [manifest], books, target, ctx))


_KINDS: tuple[StagedKind, ...] = ("data", "quarantine", "marks")
