"""The tables of an inbox: the quarantine beside a table, and the log of what people did about its rows.

Both only grow, one atomic append at a time; `remove` alone takes rows away, by writing their files anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dativo_provider.lake import read
from dativo_provider.lake.commit import Change, commit
from dativo_provider.lake.datafile import data_files, live_files, run_folder
from dativo_provider.lake.history import OPERATION, said
from dativo_provider.lake.owner import check_owner
from dativo_provider.lake.personal import metrics_properties
from dativo_provider.lake.rows import file_rows, live_tasks
from dativo_provider.lake.sink import Encoding
from dativo_provider.lake.staging import UNBOUNDED_IN_QUARANTINE
from dativo_provider.lake.table import WantedTable, ensure_table, find_table, inbox_log_name, quarantine_name
from dativo_provider.lake.writer import LakeFileWriter
from dativo_provider.model.budget import USUAL, Budget
from dativo_provider.model.run import StagedFile
from dativo_provider.model.stream import Field
from dativo_provider.model.tables import INBOX_LOG_FIELDS, QUARANTINE_FIELDS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask, Table

__all__ = ["InboxTables"]

_FILE_BYTES = 128 << 20
_RUN = "dativo.run"
_UNBOUNDED_IN_LOG = frozenset({"row_id", "fix", "note"})
_UNBOUNDED = UNBOUNDED_IN_QUARANTINE | _UNBOUNDED_IN_LOG
Doomed = Callable[["pa.RecordBatch"], "pa.BooleanArray"]


class InboxTables:
    """Of the table `main`. Neither needs to exist to be read."""

    def __init__(self, catalog: Catalog, main: str, tenant: str, budget: Budget = USUAL) -> None:
        self._catalog, self._tenant, self._budget = catalog, tenant, budget
        self.main, self.quarantine, self.log = main, quarantine_name(main), inbox_log_name(main)

    def rows(self, stream: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """`columns` of what is in the quarantine of a stream."""
        return self._read(self.quarantine, QUARANTINE_FIELDS, stream, columns)

    def lines(self, stream: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """`columns` of the log of a stream."""
        return self._read(self.log, INBOX_LOG_FIELDS, stream, columns)

    def _read(self, name: str, fields: Sequence[Field], stream: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        from pyiceberg.expressions import EqualTo

        wanted = [next(field for field in fields if field.name == column) for column in columns]
        table = find_table(self._catalog, name)
        if table is None:
            return read.no_rows(wanted)
        check_owner(table, self._tenant)
        return read.typed(read.scan(table, columns=columns, row_filter=EqualTo("stream", stream)), wanted)

    def append(self, action: str, batches: Iterable[pa.RecordBatch]) -> int:
        """Adds `batches` to the log in one commit, once per `action`; how many lines that are. None: no commit."""
        table = ensure_table(
            self._catalog,
            WantedTable(self.log, self._tenant, INBOX_LOG_FIELDS, properties=metrics_properties(_UNBOUNDED_IN_LOG)),
        )
        files = self._written(table, run_folder(table.location(), action), "log", batches)
        if files:
            summary = {_RUN: action, OPERATION: "inbox"}
            commit(
                self._catalog,
                self.log,
                lambda now: _made_by(now, action),
                lambda now: Change(added=data_files(now, files), summary=summary),
            )
        return sum(file.rows for file in files)

    def has_action(self, action: str) -> bool:
        table = find_table(self._catalog, self.log)
        return table is not None and _made_by(table, action)

    def remove(self, name: str, action: str, columns: Sequence[str], doomed: Doomed) -> int:
        """Takes the rows that `doomed` marks, by `columns`, out of the quarantine or the log; how many they were.

        The bytes stay in older snapshots until maintenance expires those.
        """
        removed = [0]

        def change(table: Table) -> Change:
            effect = [self._without(table, task, action, columns, doomed) for task in live_tasks(table)]
            live = live_files(table)
            removed[0] = sum(count for count, _, _ in effect)
            gone: list[DataFile] = [live[path] for _, path, _ in effect if path]
            made = [file for _, _, files in effect for file in files]
            summary = {_RUN: action, OPERATION: "expire"}
            return Change(data_files(table, made), gone, summary)

        if not self.count(name, columns, doomed):
            return 0
        commit(self._catalog, name, lambda now: _made_by(now, action), change)
        return removed[0]

    def count(self, name: str, columns: Sequence[str], doomed: Doomed) -> int:
        """How many rows `remove` would take away."""
        table = find_table(self._catalog, name)
        if table is None:
            return 0
        check_owner(table, self._tenant)
        return sum(_count(table, task, columns, doomed) for task in live_tasks(table))

    def _without(
        self, table: Table, task: FileScanTask, action: str, columns: Sequence[str], doomed: Doomed
    ) -> tuple[int, str, Sequence[StagedFile]]:
        """How many rows of the file go, its path when it does, and what takes its place."""
        count = _count(table, task, columns, doomed)
        if not count:
            return 0, "", ()
        folder = run_folder(table.location(), action)
        return count, task.file.file_path, self._written(table, folder, "kept", _kept(table, task, doomed))

    def _written(
        self, table: Table, folder: str, prefix: str, batches: Iterable[pa.RecordBatch]
    ) -> tuple[StagedFile, ...]:
        writer = LakeFileWriter(
            table, folder, prefix, target_bytes=_FILE_BYTES, encoding=Encoding("zstd"), unbounded=_UNBOUNDED,
            budget=self._budget,
        )  # fmt: skip
        try:
            for batch in batches:
                writer.write(batch)
            return writer.close()
        except BaseException:
            writer.abort()
            raise


def _made_by(table: Table, action: str) -> bool:
    return any(said(snapshot).get(_RUN) == action for snapshot in table.metadata.snapshots)


def _count(table: Table, task: FileScanTask, columns: Sequence[str], doomed: Doomed) -> int:
    return sum(doomed(batch).true_count for batch in file_rows(table, task, columns))


def _kept(table: Table, task: FileScanTask, doomed: Doomed) -> Iterator[pa.RecordBatch]:
    import pyarrow.compute as pc

    for batch in file_rows(table, task):
        kept = batch.filter(pc.invert(doomed(batch)))
        if kept.num_rows:
            yield kept
