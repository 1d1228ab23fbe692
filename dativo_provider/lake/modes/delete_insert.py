"""delete_insert: what the run covers is replaced: its window of the cursor, or the partitions it has rows of.

Files that lie inside are dropped by metadata alone; of those that lie across the edge, and of those written under an
older partition spec, the rows outside are kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, ContractViolation
from dativo_provider.lake.datafile import data_files
from dativo_provider.lake.modes.base import Counts, Effect, Mode, Work
from dativo_provider.lake.modes.rewrite import Rewriter
from dativo_provider.lake.partition import from_json
from dativo_provider.lake.rows import file_rows, live_tasks
from dativo_provider.lake.splitter import Splitter
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask, Table

__all__ = ["DeleteInsert"]


class DeleteInsert(Mode):
    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self._rewriter = Rewriter(work)

    def effect(self, table: Table) -> Effect:
        self._rewriter.begin()
        removed: list[DataFile] = []
        kept: list[StagedFile] = []
        deleted = 0
        for task, inside in self._covered(table).touched():
            removed.append(task.file)
            deleted += task.file.record_count if inside is None else len(inside)
            if inside is not None:
                kept += self._rewriter.without(table, task, inside)
        self._check_not_empty(deleted)
        added = data_files(table, [*kept, *self._work.data])
        return Effect(added, removed, Counts(self._work.rows, deleted=deleted))

    def close(self, *, committed: bool) -> None:
        self._rewriter.close(committed=committed)

    def _covered(self, table: Table) -> Covered:
        by = self._plan.job.target.replace_by or ("window" if self._plan.window.column else "partition")
        return {"window": InWindow, "partition": InPartitions}[by](table, self._work)

    def _check_not_empty(self, deleted: int) -> None:
        if deleted and not self._work.data and not self._plan.job.target.allow_empty_replace:
            raise ContractViolation(
                f"the run has no row, and {deleted} rows of its window would be deleted",
                where=self._plan.table,
                remedy="check the source; set target.allow_empty_replace: true if that is meant",
            )


class Covered(ABC):
    """A part of the table."""

    def __init__(self, table: Table, work: Work) -> None:
        self._table, self._work = table, work

    @abstractmethod
    def touched(self) -> Iterator[tuple[FileScanTask, pa.ChunkedArray | None]]:
        """Live files with rows of this part, and the positions of these; None: all of them are."""


class InPartitions(Covered):
    """The partitions of the current spec that the run has rows of."""

    def touched(self) -> Iterator[tuple[FileScanTask, pa.ChunkedArray | None]]:
        spec, schema = self._table.spec(), self._table.schema()
        if not spec.fields:
            raise ConfigurationError(
                "the table has no partitions to replace",
                where=self._work.plan.table,
                remedy="add target.partitioning to a new table, or use target.replace_by: window",
            )
        wanted = {tuple(from_json(file.partition, spec, schema)) for file in self._work.data}
        for task in live_tasks(self._table) if wanted else ():
            if task.file.spec_id == spec.spec_id:
                if _values(task.file.partition) in wanted:
                    yield task, None
            elif len(found := self._positions(task, wanted)):
                yield task, found

    def _positions(self, task: FileScanTask, wanted: set[tuple[Any, ...]]) -> pa.ChunkedArray:
        """The rows of a file of an older spec that belong into these partitions now."""
        import pyarrow as pa

        splitter, found, start = Splitter(self._table.spec(), self._table.schema()), [], 0
        for batch in file_rows(self._table, task, sorted(splitter.sources)):
            rows = pa.Table.from_batches([batch])
            numbers = pa.arange(start, start + rows.num_rows)
            start += rows.num_rows
            for values, part in splitter.split(rows.append_column("_dativo_position", numbers)):
                if values in wanted:
                    found += part["_dativo_position"].chunks
        return pa.chunked_array(found, pa.int64())


def _values(partition: Any) -> tuple[Any, ...]:
    return tuple(partition[at] for at in range(len(partition)))


class InWindow(Covered):
    """lo <= cursor < hi, as the plan has fixed it. Rows without a cursor belong to no window but the full one."""

    def touched(self) -> Iterator[tuple[FileScanTask, pa.ChunkedArray | None]]:
        from pyiceberg.expressions.visitors import ROWS_MUST_MATCH, _StrictMetricsEvaluator

        window = self._work.plan.window
        if window.kind == "empty":
            return
        row_filter = self._filter()
        inside = None if row_filter is None else _StrictMetricsEvaluator(self._table.schema(), row_filter).eval
        for task in live_tasks(self._table, row_filter):
            if inside is None or inside(task.file) == ROWS_MUST_MATCH:
                yield task, None
            elif len(found := self._positions(task)):
                yield task, found

    def _filter(self) -> BooleanExpression | None:
        """None: everything."""
        from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

        window, (low, high) = self._work.plan.window, self._bounds()
        if low is None and high is None:
            return None
        parts = [GreaterThanOrEqual(window.column, low)] if low is not None else []
        parts += [LessThan(window.column, high)] if high is not None else []
        return And(*parts) if len(parts) > 1 else parts[0]

    def _bounds(self) -> tuple[Any, Any]:
        window = self._work.plan.window
        if window.kind == "full":
            return None, None
        kind = self._table.schema().find_type(window.column)
        return _literal(window.lo, kind), _literal(window.hi, kind)

    def _positions(self, task: FileScanTask) -> pa.ChunkedArray:
        import pyarrow as pa
        import pyarrow.compute as pc

        low, high = self._bounds()
        found, start = [], 0
        for batch in file_rows(self._table, task, [self._work.plan.window.column]):
            values = batch.column(0)
            inside = pc.is_valid(values)
            if low is not None:
                inside = pc.and_(inside, pc.fill_null(pc.greater_equal(values, pa.scalar(low, values.type)), False))
            if high is not None:
                inside = pc.and_(inside, pc.fill_null(pc.less(values, pa.scalar(high, values.type)), False))
            found.append(pc.add(pc.indices_nonzero(inside).cast(pa.int64()), start))
            start += batch.num_rows
        return pa.chunked_array(found, pa.int64())


def _literal(value: Any, kind: Any) -> Any:
    """A bound of a plan, which went through JSON, as the column's type has it."""
    from pyiceberg.types import DateType, DecimalType, TimestampType, TimestamptzType

    if value is None:
        return None
    if isinstance(kind, TimestampType | TimestamptzType):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return _zoned(moment, isinstance(kind, TimestamptzType))
    if isinstance(kind, DateType):
        return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    return Decimal(str(value)) if isinstance(kind, DecimalType) else value


def _zoned(moment: datetime, zoned: bool) -> datetime:
    from datetime import UTC

    if zoned:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
