"""transform: what must see the whole run, over what extract staged: one row per key, and windowed transformations."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.batch import Batch
from dativo_provider.model.books import Books
from dativo_provider.model.context import RunContext
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Manifest, Plan, StagedFile
from dativo_provider.model.target import StagedFileWriter, StagedKind, Target
from dativo_provider.pipeline.lookups import open_lookups
from dativo_provider.pipeline.records import total_books
from dativo_provider.pipeline.repeats import without_repeats
from dativo_provider.pipeline.settle import LOST, Settled, settle
from dativo_provider.pipeline.shape import arrow_schema, later, row_checks, staged_fields
from dativo_provider.pipeline.workplace import open_run

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.model.checks import CheckResult
    from dativo_provider.quality.stream import RowChecks
    from dativo_provider.transform.lookups import Lookup

__all__ = ["transform"]

_KINDS: Sequence[StagedKind] = ("data", "quarantine", "marks")


def transform(plan_uri: str, ctx: RunContext) -> Manifest | None:
    """One manifest that replaces those of the slices; None when the job needs no such step."""
    folder, plan, target = open_run(plan_uri, ctx)
    if not plan.job.whole_run:
        return None
    if (done := folder.transformed()) is not None:
        return done
    manifests = without_repeats(plan, folder.manifests(plan), target, ctx)
    return folder.add_manifest(_transform(plan, manifests, target, ctx), "transformed")


def _transform(plan: Plan, manifests: list[Manifest], target: Target, ctx: RunContext) -> Manifest:
    started, attempt = time.monotonic(), f"t{secrets.token_hex(3)}"
    settled = settle(plan, manifests, target, ctx)
    writers = {kind: target.stage(plan, len(plan.slices), attempt, kind) for kind in _KINDS}
    work = Whole(plan, manifests, target, settled, writers, ctx)
    try:
        return replace(work.manifest(), attempt=attempt, seconds=time.monotonic() - started)
    except BaseException:
        for writer in writers.values():
            writer.abort()
        raise


class Whole:
    """One attempt at the rows of all slices. Files that lose no row and need no transformation stay as they are."""

    def __init__(
        self,
        plan: Plan,
        manifests: list[Manifest],
        target: Target,
        settled: Settled,
        writers: Mapping[StagedKind, StagedFileWriter],
        ctx: RunContext,
    ) -> None:
        self._plan, self._target, self._settled, self._writers, self._ctx = plan, target, settled, writers, ctx
        self._files = [file for manifest in manifests for file in manifest.files]
        self._marks = [file for manifest in manifests for file in manifest.marks]
        self._aside = [file for manifest in manifests for file in manifest.quarantine]
        self._results = [manifest.results for manifest in manifests]
        self._deletes = sum(manifest.deletes for manifest in manifests) - settled.count(self._marks)
        self._unread = sum(manifest.unread for manifest in manifests)
        self._books = total_books(manifests)

    def manifest(self) -> Manifest:
        lost = self._settled.count([*self._files, *self._marks])
        self._books.accepted -= lost
        self._books.duplicates += lost
        self._books.add_reasons([LOST] * lost)
        kept = self._transformed() if later(self._plan) else self._copied()
        self._books.produced = self._books.accepted
        self._books.check(f"{self._plan.spec.object} after transform")
        return Manifest(
            plan_id=self._plan.plan_id,
            slice=len(self._plan.slices),
            attempt="",
            files=(*kept, *self._writers["data"].close()),
            quarantine=(*self._aside, *self._writers["quarantine"].close()),
            books=self._books,
            results=self._merged(),
            marks=(*self._kept_marks(), *self._writers["marks"].close()),
            deletes=self._deletes,
            unread=self._unread,
        )

    def _merged(self) -> tuple[CheckResult, ...]:
        from dativo_provider.quality.results import merge

        return merge(self._results)

    def _kept_marks(self) -> list[StagedFile]:
        return self._without_losers(self._marks, self._writers["marks"])

    def _copied(self) -> list[StagedFile]:
        """Rows as they are. Only a history reads them anew when it publishes, in whatever files they lie."""
        history = TRAITS[self._plan.job.target.mode].history
        if history or self._target.placed(self._plan, self._files):
            return self._without_losers(self._files, self._writers["data"])
        self._write(self._settled.rows(self._target, self._plan, self._files), self._writers["data"])
        return []

    def _without_losers(self, files: Sequence[StagedFile], writer: StagedFileWriter) -> list[StagedFile]:
        """Writes what is left of files with losers; the others, untouched."""
        partly = [file for file in files if file.path in self._settled.lost]
        self._write(self._settled.rows(self._target, self._plan, partly), writer)
        return [file for file in files if file.path not in self._settled.lost]

    def _write(self, batches: Iterable[pa.RecordBatch], writer: StagedFileWriter) -> None:
        for batch in batches:
            self._ctx.check_cancelled()
            writer.write(batch)

    def _transformed(self) -> list[StagedFile]:
        from dativo_provider.quality.stream import RowChecks

        schema = arrow_schema(self._plan.fields)
        judged = {check.id for check in row_checks(self._plan, [field.name for field in staged_fields(self._plan)])}
        checks = RowChecks([check for check in row_checks(self._plan, schema.names) if check.id not in judged], schema)
        rows = self._settled.rows(self._target, self._plan, self._files)
        for batch in _made(self._plan, rows, open_lookups(self._plan, self._target, self._ctx), self._ctx):
            self._ctx.check_cancelled()
            before = self._books.quarantined
            _judge(self._plan, batch, checks, self._writers["data"], self._writers["quarantine"], self._books)
            self._unread += self._books.quarantined - before
        self._results.append(checks.results())
        return []


def _made(
    plan: Plan, rows: Iterator[pa.RecordBatch], lookups: Sequence[Lookup], ctx: RunContext
) -> Iterator[pa.RecordBatch]:
    from dativo_provider.transform.sql import run_windowed

    with TemporaryFolder("windowed") as spill:
        memory = ctx.settings.memory_limit_mb // 2
        yield from run_windowed(later(plan), rows, memory, spill, plan.fields, lookups)


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
