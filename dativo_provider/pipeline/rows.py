"""The way of a batch: cast → row transforms → row checks → duplicates → staged files, with the books kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.model.batch import Batch, Reject
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.context import RunContext
from dativo_provider.model.marks import DELETE, KEEP
from dativo_provider.model.run import Plan
from dativo_provider.model.target import StagedFileWriter, Target
from dativo_provider.pipeline.duplicates import Duplicates, open_duplicates
from dativo_provider.pipeline.keyed import Keys, is_keyed
from dativo_provider.pipeline.lookups import open_lookups
from dativo_provider.pipeline.shape import Shape, Shaped

__all__ = ["RowPath"]


class RowPath:
    """One attempt at one slice. `take` every batch, then `close` for the books and the check results."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        data: StagedFileWriter,
        quarantine: StagedFileWriter,
        marks: StagedFileWriter,
        ctx: RunContext,
    ) -> None:
        self._plan, self._data, self._quarantine, self._ctx = plan, data, quarantine, ctx
        self._marker = Marker(plan, marks)
        self._target = target
        self._aside: pa.Array | None = None
        self._shape = Shape(plan, open_lookups(plan, target, ctx))
        self._duplicates: Duplicates | None = open_duplicates(plan, target, ctx)
        self._loaded_at = datetime.fromisoformat(plan.created_at)
        self.books = Books()

    def take(self, batch: Batch) -> None:
        self.books.extracted += batch.rows
        self._reject(batch.rejects)
        if batch.data.num_rows:
            self._rows(batch)
        if self._ctx.progress:
            self._ctx.progress(batch.rows, batch.data.nbytes)

    @property
    def marked(self) -> tuple[int, int]:
        """Deletes that were marked, and rows set aside without a key."""
        return self._marker.deletes, self._marker.unread

    def release(self) -> None:
        """Whatever came of it: the temporary database goes. Safe to call twice."""
        if self._duplicates:
            self._duplicates.close()

    def close(self) -> tuple[Books, tuple[CheckResult, ...]]:
        self.release()
        self.books.check(self._plan.spec.object)
        return self.books, self._shape.results()

    def _rows(self, batch: Batch) -> None:
        shaped = self._shape.rows(batch.data, batch.ops)
        keep = None
        if shaped.bad is not None:
            self._set_aside(batch, shaped.bad, shaped.reasons)
            keep = pc.invert(shaped.bad)
        self.books.accepted += (deletes := self._marker.take(shaped))
        self.books.produced += deletes
        if shaped.gone is not None:
            keep = pc.invert(shaped.gone) if keep is None else pc.and_not(keep, shaped.gone)
        self._stage(batch, shaped.data, keep)

    def _stage(self, batch: Batch, data: pa.RecordBatch, keep: pa.BooleanArray | None) -> None:
        sources = self._with_system_columns(batch, data)
        good = sources if keep is None else sources.filter(keep)
        if self._duplicates:
            fresh = self._duplicates.fresh(good)
            self.books.duplicates += good.num_rows - fresh.num_rows
            good = fresh
        self.books.accepted += good.num_rows
        self.books.produced += good.num_rows
        if good.num_rows:
            self._data.write(good)

    def _with_system_columns(self, batch: Batch, data: pa.RecordBatch) -> pa.RecordBatch:
        if not self._plan.job.target.system_columns:
            return data
        rows = data.num_rows
        stamp = pa.scalar(self._loaded_at, pa.timestamp("us", tz="UTC"))
        extra = {
            "_dativo_run": _same(self._plan.plan_id, rows),
            "_dativo_loaded_at": pa.repeat(stamp, rows),
            "_dativo_source": source_references(batch),
        }
        for name, column in extra.items():
            data = data.append_column(name, column)
        return data

    def _set_aside(self, batch: Batch, bad: pa.BooleanArray, reasons: Sequence[Sequence[str]]) -> None:
        from dativo_provider.quality.quarantine import quarantined_rows

        rows = self._not_yet_aside(quarantined_rows(self._plan, batch, bad, reasons))
        self.books.quarantined += rows.num_rows
        self.books.add_reasons(reason for row in rows.column("reasons").to_pylist() for reason in row)
        self._quarantine.write(rows)

    def _not_yet_aside(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Without rows that an overlapping window reads, and would set aside, once more: those are duplicates."""
        if not self._plan.window.overlap or self._plan.lane.kind == "replay":
            return rows
        if self._aside is None:
            self._aside = pa.array(sorted(self._target.quarantined_ids(self._plan)), pa.string())
        known = pc.is_in(rows.column("row_id"), value_set=self._aside)
        self.books.duplicates += known.true_count
        return rows.filter(pc.invert(known))

    def _reject(self, rejects: tuple[Reject, ...]) -> None:
        if not rejects:
            return
        from dativo_provider.quality.quarantine import rejected_rows

        self._marker.unread += len(rejects)
        self.books.rejected += len(rejects)
        self.books.add_reasons(reject.reason for reject in rejects)
        self._quarantine.write(rejected_rows(self._plan, rejects))


class Marker:
    """Writes what a slice says of keys without bringing rows."""

    def __init__(self, plan: Plan, marks: StagedFileWriter) -> None:
        self._keys = Keys(plan) if is_keyed(plan) else None
        self._keeps, self._marks = plan.job.target.delete_missing, marks
        self._rows = self.deletes = self.unread = 0

    def take(self, shaped: Shaped) -> int:
        """The number of rows marked as deleted."""
        if self._keys is None:
            return 0
        bad, gone = _mask(shaped.bad, shaped.data), _mask(shaped.gone, shaped.data)
        staged = pc.invert(pc.or_(bad, gone)).cast(pa.int64())
        after = pc.add(pc.subtract(pc.cumulative_sum(staged), staged), self._rows)
        self._rows += pc.sum(staged).as_py() or 0
        deleted = pc.and_not(gone, bad)
        self._write(self._keys, shaped.data, deleted, after, DELETE)
        if self._keeps and shaped.bad is not None:
            lacking = _mask(self._keys.lacking(shaped.data), shaped.data)
            self.unread += lacking.true_count
            self._write(self._keys, shaped.data, pc.and_not(bad, lacking), after, KEEP)
        self.deletes += deleted.true_count
        return int(deleted.true_count)

    def _write(self, keys: Keys, rows: pa.RecordBatch, which: pa.BooleanArray, after: pa.Array, says: str) -> None:
        if which.true_count:
            self._marks.write(keys.marks(rows.filter(which), says, after.filter(which)))


def _mask(mask: pa.BooleanArray | None, rows: pa.RecordBatch) -> pa.BooleanArray:
    return pa.repeat(pa.scalar(False), rows.num_rows) if mask is None else mask


def _same(value: str, rows: int) -> pa.DictionaryArray:
    """Parquet need not look at the text of every row to see that it repeats."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), [value])


def source_references(batch: Batch) -> Any:
    """`origin:position` of each row, or the origin alone where rows have no place of their own."""
    if batch.aside is not None:
        return batch.aside.references
    if batch.positions is None:
        return _same(batch.origin or batch.stream, batch.data.num_rows)
    numbers = batch.positions.cast(pa.string()).view(pa.binary())
    before = f"{batch.origin}:".encode()  # put in front as bytes: joining texts takes four times as long
    return pc.binary_replace_slice(numbers, 0, 0, before).view(pa.string())
