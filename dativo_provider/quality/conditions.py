"""SQL conditions on the rows of a batch: all of them in one SELECT, closed to the outside and limited in time.

Where one fails on a value, it is evaluated again row by row: a row it fails on is known to be neither true nor false.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.batch import one_array
from dativo_provider.sql.limit import limited
from dativo_provider.sql.sandbox import connect
from dativo_provider.sql.syntax import named_columns, parsed_condition

__all__ = ["Conditions", "Truth"]

_BATCH_SECONDS = 60.0


@dataclass(frozen=True)
class Truth:
    """`values` is true, false or NULL; `failed` marks the rows on which the condition cannot be told (None: none)."""

    values: pa.BooleanArray
    failed: pa.BooleanArray | None = None


@dataclass
class Conditions:
    """Compiled against the columns of a stream; `add` raises `ConfigurationError` for what cannot be evaluated."""

    schema: pa.Schema
    _columns: set[str] = field(default_factory=set)
    _texts: list[str] = field(default_factory=list)
    _database: duckdb.DuckDBPyConnection | None = None

    def add(self, text: str) -> None:
        if text in self._texts:
            return
        names = named_columns(parsed_condition(text)) or set()
        columns = [name for name in self.schema.names if name.casefold() in names]
        self._bind(text, columns)
        self._columns |= set(columns)
        self._texts.append(text)

    def _bind(self, text: str, columns: Iterable[str]) -> None:
        shape = pa.schema([self.schema.field(name) for name in columns] or [pa.field("_", pa.bool_())])
        try:
            made = self._select(pa.Table.from_batches([], shape), [f"({text}\n) AS v"])
        except duckdb.Error as error:
            raise ConfigurationError(str(error).partition("\n")[0]) from None
        kind = made.schema.field("v").type
        if not (pa.types.is_boolean(kind) or pa.types.is_null(kind)):
            raise ConfigurationError(f"it gives {kind}, and not true or false")

    def evaluate(self, data: pa.RecordBatch) -> dict[str, Truth | ConfigurationError]:
        """What each condition says of the rows, or why it cannot be evaluated at all."""
        if not self._texts or not data.num_rows:
            return {}
        rows = pa.Table.from_batches([data.select([name for name in data.schema.names if name in self._columns])])
        if not rows.num_columns:
            rows = pa.table({"_": pa.nulls(data.num_rows, pa.bool_())})
        try:
            made = self._select(rows, [f"({text}\n)::BOOLEAN AS v{at}" for at, text in enumerate(self._texts)])
        except duckdb.Error:
            return {text: self._careful(rows, text) for text in self._texts}
        return {text: Truth(one_array(made.column(f"v{at}"))) for at, text in enumerate(self._texts)}

    def _careful(self, rows: pa.Table, text: str) -> Truth | ConfigurationError:
        """In a list, so that NULL as an answer differs from none at all."""
        try:
            made = self._select(rows, [f"TRY([({text}\n)::BOOLEAN]) AS v"])
        except duckdb.Error as error:
            return ConfigurationError(str(error).partition(":")[0])
        lists = one_array(made.column("v"))
        failed = pc.is_null(lists)
        told = pc.if_else(failed, pa.scalar([None], lists.type), lists)
        return Truth(pc.list_element(told, 0), failed if failed.true_count else None)

    def _select(self, rows: pa.Table, terms: Iterable[str]) -> pa.Table:
        database = self._opened()
        database.register("rows", rows)
        try:
            with limited(database, _BATCH_SECONDS):
                return database.sql(f"SELECT {', '.join(terms)} FROM rows").to_arrow_table()
        finally:
            database.unregister("rows")

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            self._database = connect(256, 1)
        return self._database
