"""Rows that repeat a key which must be unique go to the quarantine, where the check says `on_violation: quarantine`.

The first row of a key in the order of the staged files stays, unless the key is published already. Nothing is written
where nothing repeats, which one narrow query tells. Otherwise the files that hold a repeat are written anew without it;
the staged ones stay invisible and are swept.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.batch import Batch
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.context import RunContext
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Manifest, Plan, StagedFile
from dativo_provider.model.target import StagedFileWriter, StagedKind, Target
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.records import total_books
from dativo_provider.pipeline.repeated import Repeated, RepeatedRows, find_repeated
from dativo_provider.pipeline.scene import scene_of
from dativo_provider.pipeline.shape import later, reads, staged_fields

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.quality.metrics.base import Scene

__all__ = ["set_repeats_aside", "without_repeats"]

_KINDS: Sequence[StagedKind] = ("data", "quarantine")


def set_repeats_aside(
    folder: RunFolder, plan: Plan, manifests: Sequence[Manifest], target: Target, ctx: RunContext
) -> tuple[CheckResult, ...]:
    """Results of the checks that could be judged row by row, unless a manifest holds them (`RunFolder`)."""
    known = {result.check_id for manifest in manifests for result in manifest.results}
    checks = [check for check in plan.checks if _row_by_row(check, plan) and check.id not in known]
    if not checks or folder.without_repeats() is not None:
        return ()
    scene = scene_of(plan, manifests, total_books(manifests), target, ctx)
    manifest, results = _set_aside(plan, checks, scene, manifests, target, ctx)
    if manifest is None:
        return results
    folder.add_manifest(manifest, "without-repeats")
    return ()


def without_repeats(plan: Plan, manifests: Sequence[Manifest], target: Target, ctx: RunContext) -> list[Manifest]:
    """The slices' rows as windowed transformations should see them: each key once, where a check over columns that are
    there by now says so. What cannot be evaluated yet is left to the audit."""
    there = staged_fields(plan)
    names = {field.name for field in there} - {transform.column for transform in later(plan)}
    checks = [check for check in plan.checks if _row_by_row(check, plan) and reads(check) <= names]
    if not checks or not later(plan):
        return list(manifests)
    scene = replace(scene_of(plan, manifests, total_books(manifests), target, ctx), fields=there)
    manifest, results = _set_aside(plan, checks, scene, manifests, target, ctx)
    if manifest is not None:
        return [manifest]
    return [*manifests[:-1], *(replace(last, results=(*last.results, *results)) for last in manifests[-1:])]


def _set_aside(
    plan: Plan,
    checks: Sequence[CheckSpec],
    scene: Scene,
    manifests: Sequence[Manifest],
    target: Target,
    ctx: RunContext,
) -> tuple[Manifest | None, tuple[CheckResult, ...]]:
    """What is left, if a row had to go, and the results of the checks that could be evaluated."""
    results = tuple(made for check in checks if (made := _timed(check, scene)))
    failed = {result.check_id for result in results if result.failed}
    if not failed:
        return None, results
    files = [file for manifest in manifests for file in manifest.files]
    failing = [check for check in checks if check.id in failed]
    with find_repeated(failing, scene, files, plan, target) as repeated:
        return _written(plan, manifests, files, repeated, results, target, ctx), results


def _row_by_row(check: CheckSpec, plan: Plan) -> bool:
    """Where rows of one key are settled otherwise, or the share of them decides, no single row is to blame."""
    traits = TRAITS[plan.job.target.mode]
    counted = check.tolerance > 0 or "allowed" in check.params or "not_evaluated" in check.params
    fits = check.kind == "uniqueness" and check.on_violation == "quarantine" and not counted
    return fits and "skipped" not in check.params and (traits.adds or traits.reads_all)


def _timed(check: CheckSpec, scene: Scene) -> CheckResult | None:
    from dativo_provider.quality.tools import DUCKDB

    began = perf_counter()
    made = _judged(check, scene)
    return made and replace(made, engine=DUCKDB, seconds=perf_counter() - began)


def _judged(check: CheckSpec, scene: Scene) -> CheckResult | None:
    """None for a check that cannot be evaluated: audit will find out, and say why."""
    import duckdb

    from dativo_provider.quality.metrics.base import passed
    from dativo_provider.quality.metrics.uniqueness import repeats, told

    try:
        found = repeats(check, scene)
    except (ConfigurationError, duckdb.Error):
        return None
    failed = found.failed
    return check.result(passed(not failed), "scan", scene.rows, failed, failed, told(check, found))


def _written(
    plan: Plan,
    manifests: Sequence[Manifest],
    files: Sequence[StagedFile],
    repeated: Repeated,
    results: Sequence[CheckResult],
    target: Target,
    ctx: RunContext,
) -> Manifest:
    from dativo_provider.quality.results import merge

    attempt = f"u{secrets.token_hex(3)}"
    writers = {kind: target.stage(plan, len(plan.slices), attempt, kind) for kind in _KINDS}
    books, touched, moved = total_books(manifests), repeated.files, repeated.count
    try:
        for at in touched:
            _part(plan, files[at], repeated.of(at), writers, target, ctx)
        books.reasons = dict(Counter(books.reasons) + Counter(repeated.reasons))
        books.accepted, books.produced = books.accepted - moved, books.produced - moved
        books.quarantined += moved
        return Manifest(
            plan_id=plan.plan_id,
            slice=len(plan.slices),
            attempt=attempt,
            files=(*(file for at, file in enumerate(files) if at not in touched), *writers["data"].close()),
            quarantine=(*(file for each in manifests for file in each.quarantine), *writers["quarantine"].close()),
            books=books,
            results=merge([*(each.results for each in manifests), results]),
            marks=tuple(file for each in manifests for file in each.marks),
            deletes=sum(each.deletes for each in manifests),
            unread=sum(each.unread for each in manifests),
        )
    except BaseException:
        for writer in writers.values():
            writer.abort()
        raise


def _part(
    plan: Plan,
    file: StagedFile,
    repeated: RepeatedRows,
    writers: Mapping[StagedKind, StagedFileWriter],
    target: Target,
    ctx: RunContext,
) -> None:
    """One file in two: what stays, and what repeats."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from dativo_provider.quality.quarantine import quarantined_rows

    seen = 0
    for batch in target.read_staged(plan, [file]):
        ctx.check_cancelled()
        names = [field.name for field in plan.fields if field.name in batch.schema.names]
        rows, here = pa.arange(seen, seen + batch.num_rows), repeated.within(seen, seen + batch.num_rows)
        bad = pc.is_in(rows, value_set=here.rows)
        seen += batch.num_rows
        if bad.true_count:
            source = Batch(plan.stream, batch.select(names), origin=file.path, positions=rows)
            why = here.reasons.to_pylist()
            writers["quarantine"].write(_with_source(quarantined_rows(plan, source, bad, why), batch.filter(bad)))
        if bad.true_count < batch.num_rows:
            writers["data"].write(batch.filter(pc.invert(bad)))


def _with_source(aside: pa.RecordBatch, rows: pa.RecordBatch) -> pa.RecordBatch:
    """Where the row came from, and not where it was staged, if it says so."""
    place, name = aside.schema.get_field_index("source_reference"), "_dativo_source"
    if place < 0 or name not in rows.schema.names:
        return aside
    field = aside.schema.field(place)
    return aside.set_column(place, field, rows.column(name).cast(field.type))
