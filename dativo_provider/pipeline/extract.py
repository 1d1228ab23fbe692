"""extract: read one slice, cast, transform, check, and stage what is good and what is not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from dativo_provider.errors import InternalError, SourceChanged
from dativo_provider.model.batch import Batch, Unrepresentable
from dativo_provider.model.context import RunContext
from dativo_provider.model.reader import Reader
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.stream import ReadResult, Slice
from dativo_provider.model.target import StagedFileWriter, StagedKind, Target
from dativo_provider.pipeline.keyed import is_keyed
from dativo_provider.pipeline.prefetch import prefetch
from dativo_provider.pipeline.rows import RowPath
from dativo_provider.pipeline.workplace import open_run, reading

__all__ = ["extract"]


def extract(plan_uri: str, index: int, ctx: RunContext) -> Manifest:
    """The slice's manifest: this attempt's, or that of the attempt which finished first.

    Raises what the reader raises, `SourceChanged` when the read was not complete, `StorageUnavailable`
    when staging fails. Files of a failed attempt stay invisible.
    """
    folder, plan, target = open_run(plan_uri, ctx)
    if (done := folder.manifest(index)) is not None:
        return done
    piece = next(piece for piece in plan.slices if piece.index == index)
    ctx.event("extraction_started", f"reading slice {index} of {len(plan.slices)}", slice=index)
    with reading(plan.job, ctx) as reader:
        manifest = _read_until_held(plan, piece, target, reader, ctx)
    ctx.event("extraction_complete", f"slice {index} staged", slice=index, rows=manifest.books.extracted)
    return folder.add_manifest(manifest)


def _read_until_held(plan: Plan, piece: Slice, target: Target, reader: Reader, ctx: RunContext) -> Manifest:
    """Reads again with a column as text as often as the typed parse meets one it cannot hold."""
    while True:
        try:
            return _read(plan, piece, target, reader, ctx)
        except Unrepresentable as lost:
            if set(lost.columns) <= set(piece.as_text):
                raise InternalError(f"{lost} although read as text", where=plan.spec.object) from lost
            ctx.log.info("reading %s again with %s as text", plan.spec.object, ", ".join(lost.columns))
            piece = replace(piece, as_text=(*piece.as_text, *lost.columns))


def _read(plan: Plan, piece: Slice, target: Target, reader: Reader, ctx: RunContext) -> Manifest:
    started, attempt = time.monotonic(), f"{plan.request.attempt}{secrets.token_hex(3)}"
    kind: StagedKind = "changes" if is_keyed(plan) else "data"
    data = target.stage(plan, piece.index, attempt, kind)
    quarantine = target.stage(plan, piece.index, attempt, "quarantine")
    marks = target.stage(plan, piece.index, attempt, "marks")
    with _aborting(data, quarantine, marks):
        with _released(RowPath(plan, target, data, quarantine, marks, ctx)) as path:
            _feed(path, reader, plan, piece, ctx)
            books, results = path.close()
        deletes, unread = path.marked
        read = _complete(reader, books.extracted, plan, piece)
        return Manifest(
            plan_id=plan.plan_id,
            slice=piece.index,
            attempt=attempt,
            files=data.close(),
            quarantine=quarantine.close(),
            books=books,
            results=results,
            read=read,
            seconds=time.monotonic() - started,
            marks=marks.close(),
            deletes=deletes,
            unread=unread,
        )


def _feed(path: RowPath, reader: Reader, plan: Plan, piece: Slice, ctx: RunContext) -> None:
    limit = plan.request.limit
    batches = prefetch(reader.read(plan.spec, piece))
    try:
        for batch in batches:
            ctx.check_cancelled()
            path.take(batch if limit is None else _first(batch, limit - path.books.extracted))
            if limit is not None and path.books.extracted >= limit:
                return
    finally:
        batches.close()


def _first(batch: Batch, rows: int) -> Batch:
    cut = batch.data.slice(0, max(0, rows - len(batch.rejects)))
    positions = None if batch.positions is None else batch.positions.slice(0, cut.num_rows)
    ops = None if batch.ops is None else batch.ops.slice(0, cut.num_rows)
    return replace(batch, data=cut, positions=positions, ops=ops, rejects=batch.rejects[:rows])


@contextmanager
def _released(path: RowPath) -> Iterator[RowPath]:
    try:
        yield path
    finally:
        path.release()


@contextmanager
def _aborting(*writers: StagedFileWriter) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for writer in writers:
            writer.abort()
        raise


def _complete(reader: Reader, rows: int, plan: Plan, piece: Slice) -> ReadResult:
    """What was read, once it is certain that the source gave everything it says it has."""
    if plan.request.limit is not None:
        return ReadResult(rows=rows)
    read, where = reader.result(), f"{plan.spec.object} slice {piece.index}"
    if not read.complete:
        raise SourceChanged(
            "the source ended before everything was read", where=where, remedy="run again; nothing was published"
        )
    if read.rows != rows:
        raise InternalError(f"the reader counted {read.rows} rows but gave {rows}", where=where)
    return read
