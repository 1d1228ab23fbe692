"""What the footers of staged files tell for certain about columns; their writers kept it in the manifests, so that no
file is opened.

Not told: bounds of texts and bytes (they are cut), the greatest of floats (NaN is above it and has no bound), anything
of nested columns, of columns that hide their statistics, and of what folders say instead of files.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.types import IcebergType

__all__ = ["facts"]

Facts = dict[str, Any]


def facts(table: Table, files: Sequence[StagedFile], columns: Iterable[str]) -> dict[str, Facts]:
    """By column: `nulls`, `min` and `max`, each only where every file tells it; a bound is None where no row has a
    value."""
    schemas, uuid = table.schemas(), str(table.metadata.table_uuid)
    if not files or any(file.stats.get("table") != uuid or file.stats["schema"] not in schemas for file in files):
        return {}
    return {name: _merged([_of(file, name, schemas[file.stats["schema"]]) for file in files]) for name in columns}


def _of(file: StagedFile, name: str, schema: Schema) -> Facts:
    """By the name the column had when the file was written."""
    found = next((field for field in schema.fields if field.name == name), None)
    if found is None or not found.field_type.is_primitive:
        return {}
    kept, key = file.stats["columns"], str(found.field_id)
    nulls = kept["null_value_counts"].get(key)
    if nulls is None or kept["value_counts"].get(key) != file.rows:
        return {}
    if nulls == file.rows:
        return {"nulls": nulls, "min": None, "max": None}
    ends = {"min": kept["lower_bounds"].get(key), "max": kept["upper_bounds"].get(key)}
    told = {end: value for end, raw in ends.items() if (value := _value(raw, end, found.field_type)) is not None}
    return {"nulls": nulls, **told}


def _value(raw: str | None, end: str, kind: IcebergType) -> Any:
    """None where it is not certain."""
    from pyiceberg.conversions import from_bytes

    exact = _EXACT.get(type(kind).__name__)
    if raw is None or exact is None:
        return None
    try:
        return exact(from_bytes(kind, base64.b64decode(raw)), end)  # type: ignore[arg-type]
    except OverflowError:  # a day before year 1
        return None


def _float(value: float, end: str) -> float | None:
    return value + 0.0 if end == "min" and math.isfinite(value) else None  # -0.0 + 0.0 is 0.0


_DAY = datetime(1970, 1, 1)
_EXACT: Mapping[str, Callable[[Any, str], Any]] = {
    "IntegerType": lambda value, _: value,
    "LongType": lambda value, _: value,
    "DecimalType": lambda value, _: value,
    "FloatType": _float,
    "DoubleType": _float,
    "DateType": lambda days, _: date(1970, 1, 1) + timedelta(days),
    "TimeType": lambda micros, _: (_DAY + timedelta(microseconds=micros)).time(),
    "TimestampType": lambda micros, _: _DAY + timedelta(microseconds=micros),
    "TimestamptzType": lambda micros, _: _DAY.replace(tzinfo=UTC) + timedelta(microseconds=micros),
}


def _merged(parts: Sequence[Facts]) -> Facts:
    made: Facts = {}
    if all("nulls" in part for part in parts):
        made["nulls"] = sum(part["nulls"] for part in parts)
    for end, choose in (("min", min), ("max", max)):
        if all(end in part for part in parts):
            made[end] = choose((part[end] for part in parts if part[end] is not None), default=None)
    return made
