"""Our fields as Iceberg and Arrow schemas, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Field
from dativo_provider.model.tables import SYSTEM_FIELDS
from dativo_provider.model.types import check_type, split_nested

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType, NestedField

__all__ = ["arrow_schema", "field_id", "iceberg_schema", "iceberg_type", "read_fields", "table_fields", "type_name"]

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_FIELD_ID = b"PARQUET:field_id"


def table_fields(fields: Sequence[Field], *, system_columns: bool) -> tuple[Field, ...]:
    """All columns of a table. Raises `ConfigurationError` when names clash, in any case of letters."""
    every = (*fields, *(SYSTEM_FIELDS if system_columns else ()))
    twice = [name for name, times in Counter(field.name.lower() for field in every).items() if times > 1]
    if twice:
        raise ConfigurationError(
            f"the table would have several columns called {', '.join(sorted(twice))} (letter case does not count)",
            remedy="rename them in the contract; names that start with _dativo_ are Dativo's own",
        )
    return every


def read_fields(schema: Schema) -> tuple[Field, ...]:
    """The columns of a table as ours, without Dativo's own."""
    own = {field.name for field in SYSTEM_FIELDS}
    return tuple(
        Field(column.name, type_name(column.field_type), column.required, column.doc or "")
        for column in schema.fields
        if column.name not in own
    )


def iceberg_schema(fields: Sequence[Field]) -> Schema:
    """With provisional ids: the catalog assigns the final ones."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    ids = count(1)
    made = [
        NestedField(
            field_id=next(ids),
            name=field.name,
            field_type=iceberg_type(field.type, ids),
            required=field.required,
            doc=field.description or None,
        )
        for field in fields
    ]
    return Schema(*made)


def iceberg_type(name: str, ids: Iterator[int] | None = None) -> IcebergType:
    """`uuid` is stored as text, which every engine reads alike (DuckDB and PyIceberg differ on UUID columns)."""

    from pyiceberg.types import DecimalType

    ids = ids or count(1)
    nested = split_nested(check_type(name))
    if nested:
        return _nested_type(*nested, ids)
    if match := _DECIMAL.fullmatch(name):
        return DecimalType(int(match[1]), int(match[2]))
    return _primitives()[name]


def _primitives() -> dict[str, IcebergType]:
    from pyiceberg import types as t

    return {
        "boolean": t.BooleanType(), "int": t.IntegerType(), "long": t.LongType(), "float": t.FloatType(),
        "double": t.DoubleType(), "date": t.DateType(), "time": t.TimeType(), "timestamp": t.TimestampType(),
        "timestamptz": t.TimestamptzType(), "string": t.StringType(), "uuid": t.StringType(),
        "binary": t.BinaryType(),
    }  # fmt: skip


def _nested_type(kind: str, parts: list[str], ids: Iterator[int]) -> IcebergType:
    from pyiceberg.types import ListType, MapType, NestedField, StructType

    if kind == "list":
        return ListType(next(ids), iceberg_type(parts[0], ids), element_required=False)
    if kind == "map":
        return MapType(next(ids), iceberg_type(parts[0], ids), next(ids), iceberg_type(parts[1], ids), False)
    named = [part.partition(":") for part in parts]
    return StructType(
        *[NestedField(next(ids), name, iceberg_type(inner, ids), required=False) for name, _, inner in named]
    )


def type_name(kind: Any) -> str:
    """Our spelling of an Iceberg type, for messages and for reading back."""
    from pyiceberg.types import FixedType, ListType, MapType, StructType, UUIDType

    if isinstance(kind, ListType):
        return f"list<{type_name(kind.element_type)}>"
    if isinstance(kind, MapType):
        return f"map<{type_name(kind.key_type)},{type_name(kind.value_type)}>"
    if isinstance(kind, StructType):
        return "struct<" + ",".join(f"{field.name}:{type_name(field.field_type)}" for field in kind.fields) + ">"
    if isinstance(kind, UUIDType):
        return "uuid"
    if isinstance(kind, FixedType):
        return "binary"
    return str(kind).replace(" ", "")


def arrow_schema(schema: Schema) -> pa.Schema:
    """What our files of this table look like: plain Arrow types that carry the table's field ids."""
    import pyarrow as pa

    return pa.schema([_arrow_field(field) for field in schema.fields])


def field_id(field: pa.Field) -> int:
    """Of a field of `arrow_schema`."""
    return int(field.metadata[_FIELD_ID])


def _arrow_field(field: NestedField) -> pa.Field:
    return _identified(field.name, _arrow_type(field.field_type), field.field_id, required=field.required)


def _identified(name: str, kind: pa.DataType, field_id: int, *, required: bool) -> pa.Field:
    import pyarrow as pa

    return pa.field(name, kind, nullable=not required, metadata={_FIELD_ID: str(field_id).encode()})


def _arrow_type(kind: Any) -> pa.DataType:
    import pyarrow as pa
    from pyiceberg.types import FixedType, ListType, MapType, StructType, UUIDType

    from dativo_provider.model.types import to_arrow

    if isinstance(kind, StructType):
        return pa.struct([_arrow_field(field) for field in kind.fields])
    if isinstance(kind, ListType):
        element = _arrow_type(kind.element_type)
        return pa.list_(_identified("element", element, kind.element_id, required=kind.element_required))
    if isinstance(kind, MapType):
        return pa.map_(
            _identified("key", _arrow_type(kind.key_type), kind.key_id, required=True),
            _identified("value", _arrow_type(kind.value_type), kind.value_id, required=kind.value_required),
        )
    if isinstance(kind, UUIDType | FixedType):
        raise ConfigurationError(
            f"columns of Iceberg type {kind} cannot be written by this version",
            remedy="publish to a table of your own, where uuid is text",
        )
    return to_arrow(type_name(kind))
