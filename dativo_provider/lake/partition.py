"""Partition specs, and partition values as JSON. https://iceberg.apache.org/spec/#partitioning"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, InternalError
from dativo_provider.model.job import PartitionSpec

if TYPE_CHECKING:
    from pyiceberg import partitioning
    from pyiceberg.schema import Schema

__all__ = ["check_partitioning", "from_json", "iceberg_spec", "parse_transform", "same_spec", "to_json"]

_TRANSFORM = re.compile(r"identity|year|month|day|hour|(bucket|truncate)\[(\d+)\]")
_SUFFIX = {"identity": "", "year": "_year", "month": "_month", "day": "_day", "hour": "_hour"}
_MOST = 2**31  # buckets and widths are 32-bit integers in other engines


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
    if not match or (match[2] and not 1 <= int(match[2]) < _MOST):
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
