"""Rows on their way: Arrow batches with the place each row came from, and what could not become a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Aside", "Batch", "Reject", "Unrepresentable", "one_array"]


@dataclass(frozen=True)
class Reject:
    """Source text that could not be made into a row at all (a ragged CSV line, a truncated record)."""

    origin: str
    position: int
    raw: str
    reason: str


@dataclass(frozen=True)
class Aside:
    """Where rows that were set aside before came from, and the row ids they are known by in the quarantine."""

    references: pa.Array
    row_ids: pa.Array


@dataclass(frozen=True)
class Batch:
    """Up to about 16 MB of rows of one stream.

    `origin` is the file, table or endpoint; `positions[i]` (int64) is the line, offset or ordinal of row i in
    it; `ops[i]` is a `RowOp` (None: all `upsert`). Columns have the source's types, or text.
    """

    stream: str
    data: pa.RecordBatch
    origin: str = ""
    positions: pa.Array | None = None
    ops: pa.Array | None = None
    rejects: tuple[Reject, ...] = ()
    aside: Aside | None = None  # of a replay

    @property
    def rows(self) -> int:
        return int(self.data.num_rows) + len(self.rejects)


class Unrepresentable(Exception):
    """The typed parse met a value it cannot hold; extract reads the slice again with `columns` as text."""

    def __init__(self, columns: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{', '.join(columns)}: {reason}")
        self.columns, self.reason = columns, reason


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Its values in one piece; those of a column in one piece are not copied."""
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    made = column.combine_chunks()  # chunks again where one array could not hold the text
    return made if isinstance(made, pa.Array) else pa.concat_arrays(made.chunks)
