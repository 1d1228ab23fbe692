"""Copies of live files without some of their rows. A copy that one attempt has made serves the next one too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from dativo_provider.lake.modes.base import Work
from dativo_provider.lake.rows import file_rows
from dativo_provider.lake.staging import table_writer
from dativo_provider.lake.writer import LakeFileWriter
from dativo_provider.model.budget import Budget
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import FileScanTask, Table

__all__ = ["Rewriter"]

_WORKERS = 2  # one filters while the other encodes


class Rewriter:
    """Writes into the run's own folder; `workers` threads may share it, and the memory. What the landed commit does not
    use is removed again."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.workers = max(1, min(_WORKERS, work.settings.threads))
        self._budget = Budget.of(replace(work.settings, parties=work.settings.parties * self.workers))
        self._numbers = count()
        self._made: dict[str, tuple[StagedFile, ...]] = {}
        self._used: set[str] = set()

    def begin(self) -> None:
        """A new attempt: nothing is used yet."""
        self._used = set()

    def without(self, table: Table, task: FileScanTask, positions: pa.ChunkedArray) -> tuple[StagedFile, ...]:
        """The rows of the file of `task` whose position in it is not among `positions`, as new files."""
        return self.filtered(table, task.file.file_path, file_rows(table, task), positions)

    def filtered(
        self, table: Table, path: str, rows: Iterable[pa.RecordBatch], positions: pa.ChunkedArray
    ) -> tuple[StagedFile, ...]:
        """The same of `rows`, which are those of the file at `path`."""
        digest = hashlib.sha256(repr(positions.to_pylist()).encode()).hexdigest()
        return self.write(table, f"{path} {digest}", _kept(rows, positions))

    def write(self, table: Table, name: str, rows: Iterable[pa.RecordBatch]) -> tuple[StagedFile, ...]:
        """`rows` as new files; those made before under this `name`, which stands for their content."""
        name = f"{name} {table.spec().spec_id}"
        self._used.add(name)
        if name not in self._made:
            writer = table_writer(table, self._work.plan, f"w{next(self._numbers):05d}", self._budget)
            self._made[name] = _written(writer, rows)
        return self._made[name]

    def close(self, *, committed: bool) -> None:
        """Unless the commit is known to have landed, the files are left to the sweep: it may have."""
        for name in self._made.keys() - self._used if committed else ():
            for file in self._made[name]:
                self._work.files.delete(file.path)


def _kept(rows: Iterable[pa.RecordBatch], positions: pa.ChunkedArray) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.compute as pc

    dropped, offset = positions.cast(pa.int64()), 0
    for batch in rows:
        numbers = pa.arange(offset, offset + batch.num_rows)
        offset += batch.num_rows
        yield batch.filter(pc.invert(pc.is_in(numbers, value_set=dropped)))


def _written(writer: LakeFileWriter, rows: Iterable[pa.RecordBatch]) -> tuple[StagedFile, ...]:
    try:
        for batch in rows:
            writer.write(batch)
        return writer.close()
    except BaseException:
        writer.abort()
        raise
