"""Records of an answer as Arrow columns.

One C++ pass infers the types that the values really have; each column is then cast without loss to the type the spec
says. A column with a value that this type cannot hold travels as text, and the pipeline's cast judges it row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.connectors.rest.answers import says
from dativo_provider.connectors.rest.derived import DERIVED, json_text
from dativo_provider.connectors.rest.page import at
from dativo_provider.connectors.rest.spec import Form
from dativo_provider.model.batch import one_array
from dativo_provider.model.types import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Reading", "to_batch", "unknown"]

_AS_WRITTEN = frozenset({"date", "time", "timestamp", "timestamptz", "uuid", "string"})  # text the pipeline casts
_UNITS = {"epoch": "s", "epoch_ms": "ms"}


@dataclass(frozen=True)
class Reading:
    """A column to be read: its name, its type in Iceberg's words, where it stands in a record, and how."""

    name: str
    type: str
    path: str
    form: Form = "plain"


def to_batch(
    records: Sequence[Mapping[str, Any]], columns: Sequence[Reading], as_text: Sequence[str]
) -> pa.RecordBatch:
    """One row for each record, in the order of `columns`."""
    import pyarrow as pa

    inferred = _inferred(records)
    arrays = [_column(records, inferred, each, each.name in as_text) for each in columns]
    return pa.RecordBatch.from_arrays(arrays, names=[each.name for each in columns])


def unknown(records: Sequence[Mapping[str, Any]], columns: Sequence[Reading], ignore: Sequence[str]) -> frozenset[str]:
    """Keys of any record that no column is read from: a sign that the API has grown."""
    known = {each.path.partition(".")[0] for each in columns}
    found = frozenset().union(*records) - known
    return frozenset(each for each in found if not says(each, list(ignore)))


def _inferred(records: Sequence[Mapping[str, Any]]) -> pa.StructArray | None:
    """None where values of one key are of kinds that no Arrow type holds together."""
    import pyarrow as pa

    try:
        made = pa.array(records)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return None
    return made if pa.types.is_struct(made.type) else None


def _column(
    records: Sequence[Mapping[str, Any]], inferred: pa.StructArray | None, column: Reading, text: bool
) -> pa.Array:
    as_sent = not text and column.form not in DERIVED
    found = _fast(inferred, column) if as_sent and inferred is not None else None
    return found if found is not None else _slow(records, column, text)


def _fast(inferred: pa.StructArray, column: Reading) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind: pa.DataType = inferred.type
    for part in column.path.split("."):
        if not pa.types.is_struct(kind) or kind.get_field_index(part) < 0:
            return pa.nulls(len(inferred), to_arrow(column.type)) if _absent(kind) else None
        kind = kind.field(part).type
    values = pc.struct_field(inferred, column.path.split("."))
    return _typed(values, column)


def _absent(kind: pa.DataType) -> bool:
    """Whether no record has the part: its holder is an object, or empty throughout."""
    import pyarrow as pa

    return bool(pa.types.is_struct(kind) or pa.types.is_null(kind))


def _slow(records: Sequence[Mapping[str, Any]], column: Reading, text: bool) -> pa.Array:
    """Value by value: what is made of values, or a column that could not be inferred together with the others."""
    import pyarrow as pa

    values = [at(record, column.path) for record in records]
    if column.form in DERIVED:
        values = [DERIVED[column.form](value) for value in values]
    if column.type == "string":
        values = [_unicode(value) if isinstance(value, bytes) else value for value in values]
    if not text and not {bytes, str} <= {type(value) for value in values}:  # Arrow would take text for its bytes
        try:
            found = _typed(pa.array(values), column)
        except (pa.ArrowException, OverflowError, ValueError, TypeError):
            found = None
        if found is not None:
            return found
    return pa.array([plain_text(value) for value in values], pa.string())


def _typed(values: pa.Array, column: Reading) -> pa.Array | None:
    """As the spec's type; None where a value would change by it."""
    import pyarrow as pa

    wanted = to_arrow(column.type)
    if pa.types.is_null(values.type):
        return values.cast(wanted)
    if column.form in _UNITS:
        return _moments(values, column, wanted)
    if pa.types.is_string(values.type) and column.type in _AS_WRITTEN:
        return values
    if not _kin(values.type, wanted):
        return None
    try:
        return one_array(pa.chunked_array([values]).cast(wanted, safe=True))
    except pa.ArrowException:
        return None


def _moments(values: pa.Array, column: Reading, wanted: pa.DataType) -> pa.Array | None:
    import pyarrow as pa

    if not pa.types.is_integer(values.type):
        return None
    zone = "UTC" if column.type == "timestamptz" else None
    try:
        return values.cast(pa.timestamp(_UNITS[column.form], zone)).cast(wanted)
    except pa.ArrowException:
        return None


def _kin(kind: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether casting is a matter of width, not of meaning: 1 is no true, and 5 is no text."""
    import pyarrow.types as t

    numbers = t.is_integer(kind) or t.is_decimal(kind) or t.is_floating(kind)
    wants_number = t.is_integer(wanted) or t.is_decimal(wanted) or t.is_floating(wanted)
    if numbers or wants_number:
        return bool(numbers and wants_number)
    nested = t.is_nested(kind) and t.is_nested(wanted) and t.is_struct(kind) == t.is_struct(wanted)
    return bool(nested or kind == wanted)


def _unicode(value: bytes) -> str | None:
    """None for what is no text in UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def plain_text(value: Any) -> str | None:
    """As the answer wrote it; bytes as PostgreSQL writes them, what is nested as JSON."""
    if value is None or isinstance(value, str):
        return value
    return "\\x" + value.hex() if isinstance(value, bytes) else json_text(value)
