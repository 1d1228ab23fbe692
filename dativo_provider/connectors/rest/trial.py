"""A spec held against the API: what the first records of a stream say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.connectors.rest.spec import Stream
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import ContractSpec, StreamSpec
from dativo_provider.model.stream import Slice

if TYPE_CHECKING:
    import pyarrow as pa

    Misfits = Callable[[pa.Array, str], int]

__all__ = ["Trial", "try_stream"]

_ENOUGH = 1_000  # records


@dataclass(frozen=True)
class Trial:
    """`columns` pairs each column with how many of `rows` have a value; `remarks` are what an author should look at."""

    stream: str
    rows: int
    columns: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]


def try_stream(reader: RestReader, name: str, misfits: Misfits) -> Trial:
    """Reads a few pages. `misfits` counts the values that a type cannot hold. Raises what a read raises."""
    spec = reader.api.streams[name]
    asked = reader.read(StreamSpec(name, name, name, ContractSpec(name)), Slice(0, name))
    batches = list(_enough(asked))
    asked.close()  # type: ignore[attr-defined]
    rows = sum(batch.data.num_rows for batch in batches)
    filled = {column: sum(len(each) - each.null_count for each in _pieces(batches, column)) for column in spec.columns}
    remarks = [*_empty(filled, rows), *_misfitting(spec, batches, misfits), *_keys(spec, batches), *_odd(batches)]
    return Trial(name, rows, tuple(filled.items()), tuple(remarks))


def _enough(batches: Iterator[Batch]) -> Iterator[Batch]:
    seen = 0
    for batch in batches:
        yield batch
        seen += batch.rows
        if seen >= _ENOUGH:
            return


def _pieces(batches: list[Batch], column: str) -> list[pa.Array]:
    return [batch.data.column(column) for batch in batches]


def _empty(filled: dict[str, int], rows: int) -> Iterator[str]:
    names = [name for name, count in filled.items() if not count]
    if rows and names:
        yield f"no record has a value for: {', '.join(names)} (is `path` right?)"


def _misfitting(spec: Stream, batches: list[Batch], misfits: Misfits) -> Iterator[str]:
    for name, column in spec.columns.items():
        if wrong := sum(misfits(each, column.type) for each in _pieces(batches, name)):
            yield f"'{name}' has {wrong} values that are no {column.type} (are `type` and `form` right?)"


def _keys(spec: Stream, batches: list[Batch]) -> Iterator[str]:
    rows = [tuple(row[name] for name in spec.key) for batch in batches for row in batch.data.to_pylist()]
    if spec.key and len(set(rows)) < len(rows):
        yield f"{len(rows) - len(set(rows))} records repeat a key ({', '.join(spec.key)})"
    if spec.key and any(None in row for row in rows):
        yield f"a record has no value in its key ({', '.join(spec.key)})"


def _odd(batches: list[Batch]) -> Iterator[str]:
    rejected = sum(len(batch.rejects) for batch in batches)
    if rejected:
        yield f"{rejected} items are no records (is `records` right?)"
