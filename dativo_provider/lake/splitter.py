"""Rows split so that every file holds one partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.transforms import transformed
from dativo_provider.model.batch import one_array

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg import partitioning
    from pyiceberg.schema import Schema

__all__ = ["Splitter"]


class Splitter:
    """Splits rows by the partition they belong to."""

    def __init__(self, spec: partitioning.PartitionSpec, schema: Schema) -> None:
        self._columns = [
            (schema.find_column_name(field.source_id), field.transform, schema.find_type(field.source_id))
            for field in spec.fields
        ]

    @property
    def sources(self) -> set[str]:
        return {name for name, _, _ in self._columns}

    def split(self, rows: pa.Table) -> Iterator[tuple[tuple[Any, ...], pa.Table]]:
        """(partition values, its rows) for each partition in `rows`, which keep their order within it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        coded = [_coded(rows[name], transform, kind) for name, transform, kind in self._columns]
        groups = _combined(coded)
        if groups is None:
            yield tuple(values[0] for values, _ in coded), rows
            return
        order = pc.sort_indices(groups)
        runs = pc.run_end_encode(groups.take(order))
        rows, start = rows.take(order), 0
        positions = order.take(pa.concat_arrays([pa.array([0]), runs.run_ends[:-1].cast(pa.int64())]))
        for first, end in zip(positions.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield tuple(values[codes[first].as_py()] for values, codes in coded), rows.slice(start, end - start)
            start = end


def _combined(coded: Sequence[tuple[list[Any], pa.Array]]) -> pa.Array | None:
    """One group number per row; None when all rows are in one partition."""
    import pyarrow.compute as pc

    groups = None
    for values, codes in coded:
        if len(values) > 1:
            groups = codes if groups is None else pc.add(pc.multiply(groups, len(values)), codes)
    return groups


def _coded(column: pa.ChunkedArray, transform: Any, kind: Any) -> tuple[list[Any], pa.Array]:
    """The distinct partition values and, per row, which of them it has (as int64)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = one_array(column)
    if pa.types.is_integer(array.type) or pa.types.is_temporal(array.type):
        return _numbered(transformed(array, transform, kind))
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    entries, indices = encoded.dictionary, encoded.indices.cast(pa.int64())
    if indices.null_count:
        indices = indices.fill_null(len(entries))
        entries = pa.concat_arrays([entries, pa.nulls(1, entries.type)])
    distinct, codes = _numbered(transformed(entries, transform, kind))
    return distinct, pc.take(codes, indices)


def _numbered(values: pa.Array | list[Any]) -> tuple[list[Any], pa.Array]:
    import pyarrow as pa

    if isinstance(values, list):
        place = {value: number for number, value in enumerate(dict.fromkeys(values))}
        return list(place), pa.array([place[value] for value in values], pa.int64())
    encoded = values.dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), encoded.indices.cast(pa.int64())
