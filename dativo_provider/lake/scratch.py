"""A DuckDB for the joins of one publish: it spills to a folder of its own and is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.settings import Settings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Scratch", "quoted"]

_ROWS_OUT = 65_536


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Scratch:
    """Tables are made by the first rows that come, or by `make`."""

    def __init__(self, settings: Settings) -> None:
        import duckdb

        self._spill = TemporaryFolder("publish")
        limits = {
            "memory_limit": f"{max(128, settings.memory_limit_mb // 2)}MB",
            "threads": str(settings.threads),
            "temp_directory": self._spill.name,
            "preserve_insertion_order": "false",
        }
        self._db: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=limits)
        self.run("SET TimeZone='UTC'")
        self.run("SET python_enable_replacements=false")

    def close(self) -> None:
        self._db.close()
        self._spill.cleanup()

    def run(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._db.execute(sql, list(given)).fetchall()
        return found

    def count(self, sql: str, given: Sequence[Any] = ()) -> int:
        return int(self.run(f"select count(*) from ({sql})", given)[0][0])

    def make(self, table: str, schema: pa.Schema) -> None:
        self._with("shape", schema.empty_table(), f"create table {table} as from shape")

    def insert(self, table: str, rows: pa.Table, where: str = "") -> None:
        """`where` may look at the `given` rows and at other tables."""
        self._with("given", rows, f"insert into {table} by name select * from given {where}")

    def column(self, sql: str, given: Sequence[Any] = ()) -> pa.ChunkedArray:
        """The only column of the result."""
        return self._db.sql(sql, params=list(given)).to_arrow_table().column(0)

    def stream(self, sql: str) -> Iterable[pa.RecordBatch]:
        result = self._db.sql(sql)
        return (getattr(result, "to_arrow_reader", None) or result.fetch_arrow_reader)(_ROWS_OUT)  # type: ignore[no-any-return]

    def _with(self, name: str, rows: pa.Table, sql: str) -> None:
        self._db.register(name, rows)
        try:
            self._db.execute(sql)
        finally:
            self._db.unregister(name)
