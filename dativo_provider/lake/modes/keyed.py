"""What modes with a key share: the run's rows and the table's rows of the same keys, side by side in DuckDB.

Files are pruned by the bounds of the keys, then only their key columns are read, and only files that hold a row which
has to go are written anew. Keys of several columns are joined, never spelled out as a filter. A file is immutable, so
what is known of it stays true when the table moves and the commit is planned again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.datafile import check_made_for, data_files
from dativo_provider.lake.modes.base import Counts, Effect, Mode, Work
from dativo_provider.lake.modes.beside import beside
from dativo_provider.lake.modes.rewrite import Rewriter
from dativo_provider.lake.read import staged_rows
from dativo_provider.lake.rows import file_rows, live_tasks
from dativo_provider.lake.scratch import Scratch, quoted
from dativo_provider.model.marks import OP
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import FileScanTask, Table

__all__ = ["FILE", "POSITION", "KeyedMode"]

FILE, POSITION = "_dativo_file", "_dativo_position"
ROW = "row"
_LOT = 1 << 20  # rows handed to DuckDB at once


class KeyedMode(Mode):
    """`incoming` has the run's rows, one for each key, and its marks; `existing` what the table has of them. Each has
    the columns of `columns` beside the place of its row, and a leaf fills `gone` with the places of rows to take away.
    """

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self._key = list(work.plan.spec.identity)
        self._rewriter = Rewriter(work)
        self._scratch: Scratch | None = None
        self._known: set[str] = set()

    @abstractmethod
    def columns(self) -> Sequence[str]:
        """What `incoming` and `existing` hold of each row, the key among it."""

    @abstractmethod
    def decide(self, table: Table) -> tuple[Sequence[StagedFile], Counts]:
        """Fills `gone`, and returns the files of the rows that come instead."""

    @property
    def everything(self) -> bool:
        """Whether rows of other keys matter too, since this run may miss them."""
        return False

    @property
    def db(self) -> Scratch:
        assert self._scratch is not None
        return self._scratch

    def effect(self, table: Table) -> Effect:
        self._rewriter.begin()
        self._read_run(table)
        tasks = self._survey(table)
        self.db.run(f"create or replace table gone ({FILE} varchar, {POSITION} bigint)")
        added, counts = self.decide(table)
        touched = [tasks[path] for (path,) in self.db.run(f"select distinct {FILE} from gone order by 1")]
        copies = beside((self._remaining(table, task) for task in touched), self._rewriter.workers)
        rewritten = [file for files in copies for file in files]
        return Effect(data_files(table, [*rewritten, *added]), [task.file for task in touched], counts)

    def close(self, *, committed: bool) -> None:
        self._rewriter.close(committed=committed)
        if self._scratch is not None:
            self._scratch.close()

    def _remaining(self, table: Table, task: FileScanTask) -> Callable[[], Sequence[StagedFile]]:
        positions = self.positions("gone", task.file.file_path)
        return lambda: self._rewriter.without(table, task, positions)

    def positions(self, places: str, path: str) -> pa.ChunkedArray:
        sql = f"select distinct {POSITION} from {places} where {FILE} = ? order by 1"
        return self.db.column(sql, [path])

    # -- what the run brings --------------------------------------------------------------------------

    def _read_run(self, table: Table) -> None:
        """Once: staged files do not change."""
        for file in (*self._work.data, *self._work.marks):
            check_made_for(table, file)
        if self._scratch is not None:
            return
        self._scratch = Scratch(self._work.settings)
        schema = self._schema(table)
        self.db.make("incoming", _placed(schema, OP))
        self.db.make("existing", _placed(schema))
        for file in self._work.data:
            have = [name for name in schema.names if name not in file.stats["lacking"]]
            self._insert(file.path, staged_rows(table.io, [file], have), ROW)
        for file in self._work.marks:
            self._insert(file.path, staged_rows(table.io, [file], None))

    def _insert(self, path: str, batches: Iterator[pa.RecordBatch], op: str = "") -> None:
        import pyarrow as pa

        for rows in _numbered(batches, path):
            named = rows.append_column(OP, pa.repeat(pa.scalar(op), rows.num_rows)) if op else rows
            wanted = {*self.columns(), FILE, POSITION, OP}
            self.db.insert("incoming", named.select([name for name in named.column_names if name in wanted]))

    def _schema(self, table: Table) -> pa.Schema:
        import pyarrow as pa

        from dativo_provider.lake.schema import arrow_schema

        every = arrow_schema(table.schema())
        return pa.schema([pa.field(name, every.field(name).type) for name in self.columns()])

    # -- what the table has ---------------------------------------------------------------------------

    def _survey(self, table: Table) -> dict[str, FileScanTask]:
        """Live files by path, after `existing` holds their rows of the run's keys and nothing of other files."""
        tasks = {task.file.file_path: task for task in live_tasks(table, self._bounds(table))}
        for path in self._known - tasks.keys():
            self.db.run(f"delete from existing where {FILE} = ?", [path])
        for path in tasks.keys() - self._known:
            self._probe(table, tasks[path])
        self._known = set(tasks)
        return tasks

    def _probe(self, table: Table, task: FileScanTask) -> None:
        where = (
            "" if self.everything else f"where exists (select 1 from incoming where {self.same('incoming', 'given')})"
        )
        for rows in _numbered(file_rows(table, task, self.columns()), task.file.file_path):
            self.db.insert("existing", rows, where)

    def _bounds(self, table: Table) -> BooleanExpression | None:
        """What the smallest and the largest key of the run say about the files that may hold one of them."""
        from pyiceberg.expressions import AlwaysFalse, And, GreaterThanOrEqual, LessThanOrEqual

        if self.everything:
            return None
        if not self.db.count("select 1 from incoming limit 1"):
            return AlwaysFalse()
        found: BooleanExpression | None = None
        for name in self._key:
            if not _ordered(table.schema().find_type(name)):
                continue
            [(low, high)] = self.db.run(f"select min({quoted(name)}), max({quoted(name)}) from incoming")
            here = And(GreaterThanOrEqual(name, low), LessThanOrEqual(name, high))
            found = here if found is None else And(found, here)
        return found

    def same(self, left: str, right: str) -> str:
        """SQL: rows of one key. NULL is never one."""
        return " and ".join(f"{left}.{quoted(name)} = {right}.{quoted(name)}" for name in self._key)


def _ordered(kind: Any) -> bool:
    """Types whose bounds all engines write alike."""
    from pyiceberg import types as t

    whole = (t.IntegerType, t.LongType, t.StringType, t.DateType, t.TimestampType, t.TimestamptzType, t.DecimalType)
    return isinstance(kind, whole)


def _placed(schema: pa.Schema, *more: str) -> pa.Schema:
    import pyarrow as pa

    extra = [
        pa.field(FILE, pa.string()),
        pa.field(POSITION, pa.int64()),
        *(pa.field(each, pa.string()) for each in more),
    ]
    return pa.schema([*schema, *extra])


def _numbered(batches: Iterator[pa.RecordBatch], path: str) -> Iterator[pa.Table]:
    """Lots of rows with the place of each."""
    import pyarrow as pa

    start = 0
    for lot in _lots(batches):
        rows = pa.Table.from_batches(lot)
        numbers = pa.arange(start, start + rows.num_rows)
        start += rows.num_rows
        yield rows.append_column(FILE, pa.repeat(pa.scalar(path), rows.num_rows)).append_column(POSITION, numbers)


def _lots(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    lot: list[pa.RecordBatch] = []
    for batch in batches:
        lot.append(batch)
        if sum(each.num_rows for each in lot) >= _LOT:
            yield lot
            lot = []
    if lot:
        yield lot
