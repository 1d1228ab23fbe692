"""Source columns to contract columns: every value arrives unchanged or is reported as not holdable.

Columns are matched as `model.matching` says. Which text stands for which value is
told in `numbers`, `decimals`, `moments`, `texts` and `nested`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.matching import match_names
from dativo_provider.model.stream import Field
from dativo_provider.model.types import split_nested, to_arrow
from dativo_provider.transform import decimals, moments, numbers, texts
from dativo_provider.transform.attempt import Converted
from dativo_provider.transform.nested import to_nested

__all__ = ["Cast", "Caster", "convert", "match_columns", "missing_columns"]


@dataclass(frozen=True)
class Cast:
    """`data` in the wanted types and order; `failures[column]` is True where a value became NULL because the
    column's type cannot hold it. A column without failures has no entry."""

    data: pa.RecordBatch
    failures: Mapping[str, pa.BooleanArray] = field(default_factory=dict)


class Caster:
    """Casts batches of one stream to `fields`. Columns without a field are dropped, absent ones are NULL.

    A struct drops members the field does not have; in a column of `complete` such a value cannot be held.
    """

    def __init__(self, fields: Sequence[Field], complete: Collection[str] = ()) -> None:
        self.fields, self._complete = tuple(fields), frozenset(complete)
        self.schema = pa.schema([pa.field(f.name, to_arrow(f.type)) for f in self.fields])
        self._places: tuple[pa.Schema, list[int | None]] | None = None
        for item in self.fields:
            _check_zone(item)

    def cast(self, data: pa.RecordBatch) -> Cast:
        columns, failures = [], {}
        for item, place in zip(self.fields, self._found(data.schema), strict=True):
            column, failed = self._column(data, item, place)
            columns.append(column)
            if failed is not None and pc.any(failed).as_py():
                failures[item.name] = failed
        if not columns:
            return Cast(data.select([]))
        return Cast(pa.RecordBatch.from_arrays(columns, schema=self.schema), failures)

    def _found(self, schema: pa.Schema) -> list[int | None]:
        if self._places is None or self._places[0] != schema:
            self._places = schema, match_columns(self.fields, schema)
        return self._places[1]

    def _column(self, data: pa.RecordBatch, item: Field, place: int | None) -> Converted:
        if place is None:
            return pa.nulls(data.num_rows, to_arrow(item.type)), None
        return convert(data.column(place), item.type, item.timezone, complete=item.name in self._complete)


def match_columns(fields: Sequence[Field], schema: pa.Schema) -> list[int | None]:
    return match_names(fields, schema.names)


def missing_columns(fields: Sequence[Field], schema: pa.Schema) -> tuple[Field, ...]:
    """The fields for which the source has no column; the required ones among them are the caller's error."""
    places = match_columns(fields, schema)
    return tuple(item for item, place in zip(fields, places, strict=True) if place is None)


def convert(values: pa.Array, name: str, timezone: str = "UTC", *, complete: bool = False) -> Converted:
    """One column to the type called `name`, and the mask of what it cannot hold."""
    target = to_arrow(name)
    values = _basic(values)
    if t.is_null(values.type):
        return pa.nulls(len(values), target), None
    if values.type == target and "uuid" not in name:
        return values, None
    if split_nested(name):
        return to_nested(values, name, lambda part, inner: convert(part, inner, timezone, complete=complete), complete)
    if name == "timestamptz":
        return moments.to_timestamptz(values, timezone)
    return _SCALARS[name.partition("(")[0]](values, target)


_SCALARS = {
    "boolean": numbers.to_boolean, "int": numbers.to_integer, "long": numbers.to_integer,
    "float": numbers.to_floating, "double": numbers.to_floating, "decimal": decimals.to_decimal,
    "date": moments.to_date, "time": moments.to_time, "timestamp": moments.to_timestamp,
    "string": texts.to_string, "uuid": texts.to_uuid, "binary": texts.to_binary,
}  # fmt: skip


def _basic(values: pa.Array) -> pa.Array:
    """Without dictionary, extension, view and large-offset encodings, which not every kernel knows."""
    if isinstance(values, pa.ExtensionArray):
        return _basic(values.storage)
    if t.is_dictionary(values.type):
        return _basic(values.dictionary_decode())
    if t.is_large_string(values.type) or t.is_string_view(values.type):
        return pc.cast(values, pa.string())
    if t.is_large_binary(values.type) or t.is_binary_view(values.type):
        return pc.cast(values, pa.binary())
    return values


def _check_zone(item: Field) -> None:
    if item.timezone in ("", "UTC"):
        return
    try:
        pc.assume_timezone(pa.array([0], pa.timestamp("us")), item.timezone)
    except pa.ArrowInvalid:
        raise ConfigurationError(
            f"column '{item.name}': unknown time zone '{item.timezone}'",
            remedy="use an IANA name such as Europe/Berlin; if it is one, install the system package tzdata",
        ) from None
