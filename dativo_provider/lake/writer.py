"""Rolls rows into invisible Parquet files of the target size, one partition per file, in bounded memory."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import Fenced, InternalError
from dativo_provider.files import join, scheme
from dativo_provider.lake.partition import to_json
from dativo_provider.lake.schema import arrow_schema, field_id
from dativo_provider.lake.sink import Encoding, ParquetSink, sync_folders
from dativo_provider.lake.spill import Spill
from dativo_provider.lake.splitter import Splitter
from dativo_provider.lake.stats import StatisticsPlan
from dativo_provider.model.budget import SORTED_ROW_BYTES, USUAL, Budget
from dativo_provider.model.run import StagedFile
from dativo_provider.model.target import StagedFileWriter

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

__all__ = ["LakeFileWriter"]

_GROUP_BYTES = 64 << 20  # Arrow bytes of a row group; one is gathered while the last one is encoded
_PARTITIONED_BYTES = 96 << 20
_LEAST_GROUP_BYTES = 16 << 20  # rows of a partition wait on the local disk for as many of their kind
_OPEN_LOCAL, _OPEN_REMOTE = 200, 24  # an object store's stream keeps an upload part in memory
Key = tuple[Any, ...]


class LakeFileWriter(StagedFileWriter):
    """Encodes in a thread of its own while the next rows are gathered: Parquet encoding needs no GIL.

    Files are `<folder>/<prefix>-<number>-<nonce>[-<partition>].parquet`; the nonce keeps twins apart.

    `in_order` keeps the rows as they come, whatever their partitions: such files of a partitioned table cannot be
    published. Columns of the table that a batch lacks are left out of the file (they read as NULL); publish refuses
    files that lack a required one. `left_out` columns are those whose value the file's folder will say.
    """

    def __init__(
        self,
        table: Table,
        folder: str,
        prefix: str,
        *,
        target_bytes: int,
        encoding: Encoding,
        unbounded: frozenset[str] = frozenset(),
        in_order: bool = False,
        left_out: Collection[str] = (),
        budget: Budget = USUAL,
    ) -> None:
        self._table, self._folder, self._prefix = table, folder, prefix
        self._target, self._encoding = target_bytes, encoding
        self._in_order = in_order
        self._group_bytes = max(1 << 16, min(_GROUP_BYTES, target_bytes, budget.group_bytes))
        self._lot_bytes = min(_PARTITIONED_BYTES, budget.group_bytes)
        self._schema = arrow_schema(table.schema())
        self._statistics = StatisticsPlan(table, unbounded)
        remote = scheme(folder) != "file"
        most = budget.open_files(len(self._schema), remote)
        self._most_open = min(_OPEN_REMOTE if remote else _OPEN_LOCAL, most)
        self._nonce = secrets.token_hex(4)
        self._open: OrderedDict[Key, ParquetSink] = OrderedDict()
        self._files: list[StagedFile] = []
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._number = 0
        self._splitter: Splitter | None = None
        self._spill: Spill | None = None
        self._options: dict[str, Any] = {}
        self._left_out = frozenset(left_out)
        self._written: pa.Schema | None = None
        self._encoder: ThreadPoolExecutor | None = None
        self._encoding_now: Future[None] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        fitted = self._fitted(batch)
        self._pending.append(fitted)
        self._pending_bytes += fitted.nbytes + (fitted.num_rows * SORTED_ROW_BYTES if self._splitter else 0)
        if self._pending_bytes >= (self._lot_bytes if self._splitter else self._group_bytes):
            self._drain()

    def close(self) -> tuple[StagedFile, ...]:
        self._wait()
        if self._pending:
            self._encode(self._taken(), last=True)
        self._stop()
        self._unspill()
        while self._open:
            self._finish(next(iter(self._open)))
        sync_folders([file.path for file in self._files])
        return tuple(self._files)

    def abort(self) -> None:
        with suppress(Exception):  # the first failure is already on its way to the operator
            self._wait()
        self._stop()
        if self._spill is not None:
            with suppress(Exception):
                self._spill.close()
        for sink in self._open.values():
            sink.abort()
        self._open.clear()
        self._pending.clear()

    def _fitted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the table's types and field ids. The first batch decides which columns the files have."""
        import pyarrow as pa

        if self._written is None:
            self._begin(batch)
        schema = self._written
        assert schema is not None
        if unknown := set(batch.schema.names) ^ set(schema.names):
            raise InternalError(f"rows and table differ in columns {', '.join(sorted(unknown))}", where=self._folder)
        columns = [_column(batch.column(field.name), field) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _begin(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        have = set(batch.schema.names)
        if unknown := _parts(batch.schema) - _parts(self._schema):
            raise Fenced(
                f"the table no longer has the columns {', '.join(sorted(unknown))} this run was planned with",
                where=".".join(self._table.name()),
                remedy="start a new run; nothing was published",
            )
        found = [field for field in self._schema if field.name in have]
        self._written = pa.schema([_encoded_alike(field, batch.schema.field(field.name).type) for field in found])
        splitter = Splitter(self._table.spec(), self._table.schema())
        split = splitter.sources and splitter.sources <= have and not self._in_order
        self._splitter = splitter if split else None

    def _drain(self) -> None:
        """Hands the gathered rows to the encoding thread, at most one lot at a time."""
        self._wait()
        if self._encoder is None:
            self._encoder = ThreadPoolExecutor(1, "dativo-encode")
        self._encoding_now = self._encoder.submit(self._encode, self._taken())

    def _wait(self) -> None:
        """Raises what the encoding thread met."""
        busy, self._encoding_now = self._encoding_now, None
        if busy is not None:
            busy.result()

    def _stop(self) -> None:
        if self._encoder is not None:
            self._encoder.shutdown()
            self._encoder = None

    def _taken(self) -> pa.Table:
        import pyarrow as pa

        rows = pa.Table.from_batches(self._pending).unify_dictionaries()
        self._pending, self._pending_bytes = [], 0
        return rows

    def _encode(self, rows: pa.Table, last: bool = False) -> None:
        if not self._options:
            stored = self._stored(rows)
            self._options = self._encoding.options(stored, stored.schema)
        if self._splitter is None:
            self._append((), self._stored(rows))
        else:
            self._encode_parts(self._splitter.split(rows), last)

    def _encode_parts(self, parts: Iterable[tuple[Key, pa.Table]], last: bool) -> None:
        """A row group of each part that is large enough, together with what waits for it; the others wait on disk."""
        import pyarrow as pa

        for key, part in parts:
            rows, waiting = self._stored(part), self._spill.bytes_of(key) if self._spill else 0
            if last or rows.nbytes + waiting >= min(self._group_bytes, _LEAST_GROUP_BYTES):
                self._append(key, _joined(self._spill.take(key), rows) if self._spill and waiting else rows, last)
            else:
                self._spill = self._spill or Spill()
                self._spill.put(key, rows)
        if self._spill is not None:
            self._spill.seal()
        pa.default_memory_pool().release_unused()  # what sorting has left in pieces, else kept for later

    def _unspill(self) -> None:
        """One partition after the other: of those that wait, none but the one being written has a file open."""
        if self._spill is None:
            return
        for key, batches in self._spill.drain():
            self._append(key, _joined(batches), last=True)
        self._spill.close()

    def _stored(self, rows: pa.Table) -> pa.Table:
        return rows.drop_columns([name for name in rows.column_names if name in self._left_out])

    def _append(self, key: Key, rows: pa.Table, last: bool = False) -> None:
        for group in _slices(rows, self._group_bytes, self._encoding.group_rows):
            sink = self._sink(key, group.schema)
            sink.write(group)
            if sink.size >= self._target:
                self._finish(key)
        if last and key in self._open:
            self._finish(key)

    def _sink(self, key: Key, schema: pa.Schema) -> ParquetSink:
        if key not in self._open:
            while len(self._open) >= self._most_open:
                self._finish(next(iter(self._open)))
            self._open[key] = ParquetSink(self._table.io, self._name(key), schema, self._options)
        self._open.move_to_end(key)
        return self._open[key]

    def _name(self, key: Key) -> str:
        partition = f"-{hashlib.sha256(repr(key).encode()).hexdigest()[:8]}" if key else ""
        self._number += 1
        return join(self._folder, f"{self._prefix}-{self._number - 1:04d}-{self._nonce}{partition}.parquet")

    def _finish(self, key: Key) -> None:
        sink = self._open[key]
        footer, size = sink.close()
        del self._open[key]
        partition = to_json(key, self._table.spec()) if self._splitter else {}
        stats = {**self._made_for(), "columns": self._statistics.to_json(footer)}
        self._files.append(StagedFile(sink.uri, sink.rows, size, partition, stats))

    def _made_for(self) -> dict[str, Any]:
        """Which table, schema and spec the file was written for; publish compares."""
        metadata, written = self._table.metadata, self._written
        lacking = [field_id(field) for field in self._schema if written is None or field.name not in written.names]
        split = self._splitter is not None or not self._table.spec().fields
        return {
            "table": str(metadata.table_uuid),
            "schema": metadata.current_schema_id,
            "spec": self._table.spec().spec_id if split else None,
            "lacking": lacking,
        }


def _joined(batches: list[pa.RecordBatch], rows: pa.Table | None = None) -> pa.Table:
    import pyarrow as pa

    more = [] if rows is None else [rows]
    return pa.concat_tables([pa.Table.from_batches(batches), *more]).unify_dictionaries()


def _parts(fields: Iterable[pa.Field], above: str = "") -> set[str]:
    """Names of columns and of the parts of structs, at any depth. Casting would drop parts that are not there."""
    import pyarrow as pa

    found: set[str] = set()
    for field in fields:
        name, kind = f"{above}{field.name}", field.type
        found.add(name)
        if pa.types.is_struct(kind):
            found |= _parts(kind, f"{name}.")
        elif pa.types.is_list(kind):
            found |= _parts([kind.value_field.with_name("element")], f"{name}.")
        elif pa.types.is_map(kind):
            found |= _parts([kind.item_field.with_name("value")], f"{name}.")
    return found


def _encoded_alike(field: pa.Field, given: pa.DataType) -> pa.Field:
    """Dictionaries of the column's own type are written as they come; readers of the file see plain values."""
    import pyarrow as pa

    return field.with_type(given) if pa.types.is_dictionary(given) and given.value_type == field.type else field


def _column(values: pa.Array, field: pa.Field) -> pa.Array:
    """`values` as the table has them: only casts that lose nothing."""
    if not field.nullable and values.null_count:
        raise InternalError(f"{values.null_count} rows without a value reached the required column '{field.name}'")
    return values if values.type == field.type else values.cast(field.type, safe=True)


def _slices(rows: pa.Table, group_bytes: int, group_rows: int) -> Iterator[pa.Table]:
    """Row groups of about `group_bytes` of Arrow data and equal size, so that no sliver is left over."""
    groups = max(1, round(rows.nbytes / group_bytes), -(-rows.num_rows // group_rows))
    step = -(-rows.num_rows // groups)
    for start in range(0, rows.num_rows, step):
        yield rows.slice(start, step)
