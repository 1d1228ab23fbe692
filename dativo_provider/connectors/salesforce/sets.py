"""A set of results in CSV as Arrow. A string of Salesforce is never empty: what is empty there is NULL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from dativo_provider.connectors.rest.arrow import Reading
from dativo_provider.errors import SourceChanged, SourceUnavailable
from dativo_provider.model.types import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_set"]

_BLOCK = 8 << 20  # bytes of text that make a batch
_AS_WRITTEN = frozenset({"string", "date", "timestamptz"})  # text the pipeline casts


def read_set(
    content: IO[bytes], fields: Sequence[str], columns: Sequence[Reading], as_text: Sequence[str]
) -> Iterator[tuple[pa.RecordBatch, pa.Array | None]]:
    """Batches with their ops. Raises `SourceChanged` when other columns came than were asked for."""
    import pyarrow as pa

    for found in _raw(content, fields):
        arrays = [_column(found.column(fields.index(each.path)), each, each.name in as_text) for each in columns]
        data = pa.RecordBatch.from_arrays(arrays, names=[each.name for each in columns])
        yield data, _ops(found.column(fields.index("IsDeleted"))) if "IsDeleted" in fields else None


def _raw(content: IO[bytes], fields: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv

    if not content.read(1):
        return
    content.seek(0)
    convert = csv.ConvertOptions(column_types={name: pa.string() for name in fields}, null_values=[""],
                                 strings_can_be_null=True, quoted_strings_can_be_null=True)  # fmt: skip
    read, parse = csv.ReadOptions(block_size=_BLOCK), csv.ParseOptions(newlines_in_values=True)
    with _as_csv(), csv.open_csv(content, read, parse, convert) as reader:
        names = reader.schema.names
        if names != list(fields):
            other = next((name for name in names if name not in fields), "another order")
            raise SourceChanged(f"results of a bulk job have other columns than were asked for: {other}",
                                remedy="set source.connection.version to that of the spec")  # fmt: skip
        yield from reader


@contextmanager
def _as_csv() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except pa.ArrowInvalid:  # whose text shows the row
        raise SourceUnavailable("results of a bulk job are no CSV of their columns", remedy="run again") from None


def _column(values: pa.Array, column: Reading, text: bool) -> pa.Array:
    """As text where a value does not fit: the pipeline's cast judges it row by row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if text or column.type in _AS_WRITTEN:
        return values
    if column.type == "long":
        values = pc.replace_substring_regex(values, r"\.0+$", "")
    try:
        return values.cast(to_arrow(column.type))
    except pa.ArrowException:
        return values


def _ops(deleted: pa.Array) -> pa.Array | None:
    import pyarrow.compute as pc

    gone = pc.fill_null(pc.equal(deleted, "true"), False)
    return pc.if_else(gone, "delete", "upsert") if pc.any(gone).as_py() else None
