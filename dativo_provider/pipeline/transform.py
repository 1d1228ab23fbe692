"""transform: the transformations that must see the whole run, over what extract staged."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dativo_provider.model.batch import Batch
from dativo_provider.model.books import Books
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.target import StagedFileWriter, Target
from dativo_provider.pipeline.records import total_books
from dativo_provider.pipeline.shape import arrow_schema, later, row_checks, staged_fields
from dativo_provider.pipeline.workplace import open_run

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.model.checks import CheckResult
    from dativo_provider.quality.stream import RowChecks

__all__ = ["transform"]


def transform(plan_uri: str, ctx: RunContext) -> Manifest | None:
    """One manifest that replaces those of the slices; None when the job needs no such step."""
    folder, plan, target = open_run(plan_uri, ctx)
    if not later(plan):
        return None
    if (done := folder.transformed()) is not None:
        return done
    return folder.add_manifest(_transform(plan, folder.manifests(plan), target, ctx), "transformed")


def _transform(plan: Plan, manifests: list[Manifest], target: Target, ctx: RunContext) -> Manifest:
    started, attempt = time.monotonic(), f"t{secrets.token_hex(3)}"
    data = target.stage(plan, len(plan.slices), attempt, "data")
    quarantine = target.stage(plan, len(plan.slices), attempt, "quarantine")
    try:
        books, results = _run(plan, manifests, target, data, quarantine, ctx)
    except BaseException:
        data.abort()
        quarantine.abort()
        raise
    set_aside = tuple(file for manifest in manifests for file in manifest.quarantine)
    return Manifest(
        plan_id=plan.plan_id,
        slice=len(plan.slices),
        attempt=attempt,
        files=data.close(),
        quarantine=(*set_aside, *quarantine.close()),
        books=books,
        results=results,
        seconds=time.monotonic() - started,
    )


def _run(
    plan: Plan,
    manifests: list[Manifest],
    target: Target,
    data: StagedFileWriter,
    quarantine: StagedFileWriter,
    ctx: RunContext,
) -> tuple[Books, tuple[CheckResult, ...]]:
    from dativo_provider.quality.results import merge
    from dativo_provider.quality.stream import RowChecks

    schema = arrow_schema(plan.fields)
    judged = {check.id for check in row_checks(plan, [field.name for field in staged_fields(plan)])}
    checks = RowChecks([check for check in row_checks(plan, schema.names) if check.id not in judged], schema)
    books = total_books(manifests)
    for batch in _made(plan, manifests, target, ctx):
        ctx.check_cancelled()
        _judge(plan, batch, checks, data, quarantine, books)
    books.produced = books.accepted
    books.check(f"{plan.spec.object} after transform")
    return books, merge([*(manifest.results for manifest in manifests), checks.results()])


def _made(plan: Plan, manifests: list[Manifest], target: Target, ctx: RunContext) -> Iterator[pa.RecordBatch]:
    from dativo_provider.transform.sql import run_windowed

    files = [file for manifest in manifests for file in manifest.files]
    staged = target.read_staged(plan, files)
    with tempfile.TemporaryDirectory(prefix="dativo-windowed-") as spill:
        yield from run_windowed(later(plan), staged, ctx.settings.memory_limit_mb // 2, spill, plan.fields)


def _judge(
    plan: Plan,
    batch: pa.RecordBatch,
    checks: RowChecks,
    data: StagedFileWriter,
    quarantine: StagedFileWriter,
    books: Books,
) -> None:
    """Rows that a windowed column condemns go to the quarantine; their raw form is the row as staged."""
    import pyarrow.compute as pc

    from dativo_provider.quality.quarantine import quarantined_rows

    verdict = checks.evaluate(batch.select([field.name for field in plan.fields]), {})
    if verdict.bad is not None:
        rows = quarantined_rows(plan, Batch(plan.stream, batch), verdict.bad, verdict.reasons)
        quarantine.write(rows)
        books.accepted -= rows.num_rows
        books.quarantined += rows.num_rows
        books.add_reasons(reason for row in verdict.reasons for reason in row)
        batch = batch.filter(pc.invert(verdict.bad))
    if batch.num_rows:
        data.write(batch)
