"""Partition specs, and batches split so that every file holds one partition. Pure Python, as the Iceberg spec
defines the transforms: https://iceberg.apache.org/spec/#partition-transforms"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, InternalError
from dativo_provider.model.job import PartitionSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg import partitioning
    from pyiceberg.schema import Schema

__all__ = ["Splitter", "check_partitioning", "from_json", "iceberg_spec", "same_spec", "to_json"]

_TRANSFORM = re.compile(r"identity|year|month|day|hour|(bucket|truncate)\[(\d+)\]")
_SUFFIX = {"identity": "", "year": "_year", "month": "_month", "day": "_day", "hour": "_hour"}
_MICROS = {"day": 86_400_000_000, "hour": 3_600_000_000}


def check_partitioning(wanted: Sequence[PartitionSpec], personal: Collection[str], table: str) -> None:
    """Raises `ConfigurationError` for partitions that would put personal data into paths and manifests."""
    exposed = sorted({spec.column for spec in wanted} & set(personal))
    if exposed:
        raise ConfigurationError(
            f"partitioning by {', '.join(exposed)} would write personal data into the table's metadata",
            where=table,
            remedy="partition by another column, or correct the column's classification in the contract",
        )


def iceberg_spec(wanted: Sequence[PartitionSpec], schema: Schema, table: str) -> partitioning.PartitionSpec:
    """Raises `ConfigurationError` naming the column when a transform does not fit it."""
    from pyiceberg.partitioning import PartitionField, PartitionSpec

    fields = [_partition_field(number, spec, schema, table) for number, spec in enumerate(wanted)]
    return PartitionSpec(
        *[PartitionField(source_id=s, field_id=1000 + n, transform=t, name=name) for n, s, t, name in fields]
    )


def _partition_field(number: int, spec: PartitionSpec, schema: Schema, table: str) -> tuple[int, int, Any, str]:
    source = next((field for field in schema.fields if field.name == spec.column), None)
    if source is None:
        raise ConfigurationError(
            f"the table has no column '{spec.column}' to partition by (has: {', '.join(schema.column_names)})",
            where=table,
            remedy="partition by a column of the contract",
        )
    transform = parse_transform(spec.transform, table)
    if not _allowed(transform, source.field_type):
        raise ConfigurationError(
            f"'{spec.transform}' cannot partition by '{spec.column}' of type {source.field_type}",
            where=table,
            remedy="day and hour need a timestamp, bucket any type but boolean, float, double and decimal",
        )
    kind = spec.transform.partition("[")[0]
    return (
        number,
        source.field_id,
        transform,
        spec.column + _SUFFIX.get(kind, "_bucket" if kind == "bucket" else "_trunc"),
    )


def parse_transform(text: str, table: str = "") -> Any:
    """PyIceberg's transform for `identity`, `day`, `bucket[16]`, ..."""
    from pyiceberg import transforms as t

    match = _TRANSFORM.fullmatch(text)
    if not match or (match[2] and int(match[2]) < 1):
        raise ConfigurationError(
            f"unknown partition transform '{text}'", where=table,
            remedy="use identity, year, month, day, hour, bucket[N] or truncate[W]",
        )  # fmt: skip
    if match[1]:
        return (t.BucketTransform if match[1] == "bucket" else t.TruncateTransform)(int(match[2]))
    plain = {
        "identity": t.IdentityTransform, "year": t.YearTransform, "month": t.MonthTransform,
        "day": t.DayTransform, "hour": t.HourTransform,
    }  # fmt: skip
    return plain[text]()


def _allowed(transform: Any, kind: Any) -> bool:
    """Buckets of decimals differ between engines; floats have two zeros and many NaNs."""
    from pyiceberg.transforms import BucketTransform
    from pyiceberg.types import DecimalType, DoubleType, FloatType

    if isinstance(kind, FloatType | DoubleType):
        return False
    if isinstance(transform, BucketTransform) and isinstance(kind, DecimalType):
        return False
    return bool(transform.can_transform(kind))


def same_spec(have: partitioning.PartitionSpec, wanted: partitioning.PartitionSpec) -> bool:
    return _shape(have) == _shape(wanted)


def _shape(spec: partitioning.PartitionSpec) -> list[tuple[int, str]]:
    from pyiceberg.transforms import VoidTransform

    return [(f.source_id, str(f.transform)) for f in spec.fields if not isinstance(f.transform, VoidTransform)]


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

    combined = column.combine_chunks()
    array = combined.combine_chunks() if isinstance(combined, pa.ChunkedArray) else combined
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    numbers = _vectorised(array, transform)
    encoded = (array if numbers is None else numbers).dictionary_encode(null_encoding="encode")
    values = (
        encoded.dictionary.to_pylist() if numbers is not None else _transformed(encoded.dictionary, transform, kind)
    )
    distinct = list(dict.fromkeys(values))
    place = {value: number for number, value in enumerate(distinct)}
    renumbered = pa.array([place[value] for value in values], pa.int64())
    return distinct, pc.take(renumbered, encoded.indices)


def _vectorised(array: pa.Array, transform: Any) -> pa.Array | None:
    """Parts of dates and times by Arrow arithmetic: nearly every timestamp is distinct. None: value by value."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyiceberg import transforms as t

    if not isinstance(transform, t.YearTransform | t.MonthTransform | t.DayTransform | t.HourTransform):
        return None
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us"))  # UTC wall clock; drops the zone without moving the instant
    if isinstance(transform, t.HourTransform):
        return _whole(array.cast(pa.int64()), _MICROS["hour"])
    if isinstance(transform, t.DayTransform):
        return (
            array.cast(pa.int32()) if pa.types.is_date32(array.type) else _whole(array.cast(pa.int64()), _MICROS["day"])
        )
    years = pc.subtract(pc.year(array), 1970)
    if isinstance(transform, t.YearTransform):
        return years.cast(pa.int32())
    return pc.add(pc.multiply(years, 12), pc.subtract(pc.month(array), 1)).cast(pa.int32())


def _whole(micros: pa.Array, unit: int) -> pa.Array:
    """Floor division, which Arrow does not have: its integer division rounds toward zero."""
    import pyarrow as pa
    import pyarrow.compute as pc

    quotient = pc.divide(micros, unit)
    below = pc.less(pc.subtract(micros, pc.multiply(quotient, unit)), 0)
    return pc.subtract(quotient, below.cast(pa.int64())).cast(pa.int32())


def _transformed(values: pa.Array, transform: Any, kind: Any) -> list[Any]:
    """PyIceberg's own transform of each value, given in Iceberg's representation (days, microseconds)."""
    import pyarrow as pa

    if pa.types.is_timestamp(values.type) or pa.types.is_time(values.type):
        values = values.cast(pa.timestamp("us")) if pa.types.is_timestamp(values.type) else values
        values = values.cast(pa.int64())
    elif pa.types.is_date(values.type):
        values = values.cast(pa.int32())
    apply = transform.transform(kind)
    return [apply(value) for value in values.to_pylist()]


def to_json(values: Sequence[Any], spec: partitioning.PartitionSpec) -> dict[str, Any]:
    """Partition values by field name, as JSON."""
    return {field.name: _json(value) for field, value in zip(spec.fields, values, strict=True)}


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, Decimal) else value


def from_json(values: Mapping[str, Any], spec: partitioning.PartitionSpec, schema: Schema) -> list[Any]:
    """The inverse, in the order of the spec. Raises `InternalError` when `values` are of another spec."""
    if set(values) != {field.name for field in spec.fields}:
        raise InternalError(f"a file staged for partition {sorted(values)} does not belong to {spec}")
    kinds = {field.name: field.field_type for field in spec.partition_type(schema).fields}
    return [_python(values[field.name], kinds[field.name]) for field in spec.fields]


def _python(value: Any, kind: Any) -> Any:
    from pyiceberg.types import BinaryType, DecimalType, FixedType

    if value is None:
        return None
    if isinstance(kind, BinaryType | FixedType):
        return base64.b64decode(value)
    return Decimal(value) if isinstance(kind, DecimalType) else value
