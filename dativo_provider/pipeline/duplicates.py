"""Rows an earlier run (or an earlier batch of this slice) has brought already: same key, same cursor.

Without a cursor nothing but an identical row is a duplicate: the same key with another value may be news.
Only where the window may overlap what is published (`Window.overlap`). Published keys are loaded for the
cursor range a batch touches, into a DuckDB table that spills to disk beyond the memory limit.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.context import RunContext
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Plan
from dativo_provider.model.target import Target
from dativo_provider.pipeline.shape import staged_fields
from dativo_provider.sql.names import quoted

__all__ = ["Duplicates", "open_duplicates"]


def open_duplicates(plan: Plan, target: Target, ctx: RunContext) -> Duplicates | None:
    spec = plan.spec
    if not (plan.window.overlap and spec.key) or not TRAITS[plan.job.target.mode].adds:
        return None
    return Duplicates(plan, target, ctx)


class Duplicates:
    """Rows with NULL in the key or the cursor are never duplicates: `_identity` must be whole."""

    def __init__(self, plan: Plan, target: Target, ctx: RunContext) -> None:
        from dativo_provider.sql.sandbox import connect

        self._plan, self._target = plan, target
        self._cursor = plan.spec.incremental.cursor_field
        self._identity = list(dict.fromkeys([*plan.spec.key, *([self._cursor] if self._cursor else [])]))
        others = [] if self._cursor else [field.name for field in staged_fields(plan)]
        self._columns = list(dict.fromkeys([*self._identity, *others]))
        self._spill = TemporaryFolder("seen")
        self._db = connect(
            ctx.settings.memory_limit_mb // 4 // ctx.settings.parties, ctx.settings.threads, self._spill.name
        )
        self._loaded: tuple[Any, Any] | None = None
        self._ready = False

    def close(self) -> None:
        self._db.close()
        self._spill.cleanup()

    def fresh(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """`batch` without the rows seen before; remembers the rest."""
        if not batch.num_rows:
            return batch
        keys = batch.select(self._columns)
        self._load(keys)
        keep = self._first_seen(keys)
        return batch if keep is None else batch.take(keep)

    def _load(self, keys: pa.RecordBatch) -> None:
        if not self._cursor:
            if not self._ready:
                self._remember(self._target.published_keys(self._plan, self._columns, None, None))
            return
        bounds = pc.min_max(keys.column(self._cursor))
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is None:
            self._create(keys.schema)
            return
        for start, end in self._missing(low, high):
            self._remember(self._target.published_keys(self._plan, self._columns, start, end))
        old = self._loaded or (low, high)
        self._loaded = (min(old[0], low), max(old[1], high))

    def _missing(self, low: Any, high: Any) -> list[tuple[Any, Any]]:
        """Inclusive ranges not loaded yet. Borders overlap: loading a key twice changes nothing."""
        if self._loaded is None:
            return [(low, high)]
        have_low, have_high = self._loaded
        ranges = [(low, have_low)] if low < have_low else []
        return ranges + ([(have_high, high)] if high > have_high else [])

    def _create(self, schema: pa.Schema) -> None:
        if self._ready:
            return
        self._db.register("shape", pa.Table.from_batches([], schema))
        self._db.execute("create table seen as from shape")
        self._db.unregister("shape")
        self._ready = True

    def _remember(self, published: pa.RecordBatchReader) -> None:
        """Batch by batch: what DuckDB itself reads from raises errors of DuckDB's."""
        self._create(published.schema)
        for batch in published:
            self._insert(pa.Table.from_batches([batch]))

    def _insert(self, rows: pa.Table) -> None:
        self._db.register("incoming", rows)
        self._db.execute(f"insert into seen by name select {self._list()} from incoming")
        self._db.unregister("incoming")

    def _first_seen(self, keys: pa.RecordBatch) -> pa.Array | None:
        """Row numbers to keep, ascending; None when all are new."""
        numbered = keys.append_column("_row", pa.array(range(keys.num_rows), pa.int64()))
        self._db.register("batch", pa.Table.from_batches([numbered]))
        whole = " and ".join(f"{quoted(name)} is not null" for name in self._identity)
        kept = (
            self._db.sql(
                f"select min(_row) as _row from batch where {whole} "
                f"and not exists (select 1 from seen where {self._same()}) group by {self._list()} "
                f"union all select _row from batch where not ({whole}) order by 1"
            )
            .to_arrow_table()["_row"]
            .combine_chunks()
        )
        self._db.unregister("batch")
        self._insert(pa.Table.from_batches([keys.take(kept)]))
        return None if len(kept) == keys.num_rows else kept

    def _same(self) -> str:
        same = {name: "=" if name in self._identity else "is not distinct from" for name in self._columns}
        return " and ".join(f"seen.{quoted(name)} {how} batch.{quoted(name)}" for name, how in same.items())

    def _list(self) -> str:
        return ", ".join(quoted(name) for name in self._columns)
