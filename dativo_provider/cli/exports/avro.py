"""A record schema of Avro. https://avro.apache.org/docs/1.12.0/specification/"""

from __future__ import annotations

import re
from typing import Any

from dativo_provider.cli.exports.base import Made, Text, as_json
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.stream import Field
from dativo_provider.model.types import split_nested

__all__ = ["write"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def write(_: ContractSource, table: TableContract) -> Text:
    """Columns that may be NULL default to it. Names that Avro does not have are left out."""
    left = [f"column {field.name}, as a name" for field in table.fields if not _NAME.fullmatch(field.name)]
    fields = [_field(field, table.name) for field in table.fields if _NAME.fullmatch(field.name)]
    made = {"type": "record", "name": _named(table.name), "fields": fields}
    return as_json(made | ({"doc": table.description} if table.description else {})), left


def _field(field: Field, path: str) -> Made:
    kind = _type(field.type, f"{path}_{field.name}")
    made: Made = {"name": field.name, "type": kind if field.required else ["null", kind]}
    made |= {} if field.required else {"default": None}
    return made | ({"doc": field.description} if field.description else {})


def _type(name: str, path: str) -> Any:
    """Records within are called by their path: Avro takes a name once."""
    nested = split_nested(name)
    if nested is None:
        word, _, rest = name.partition("(")
        return _decimal(rest) if word == "decimal" else _TYPES.get(word, "string")
    word, parts = nested
    if word == "list":
        return {"type": "array", "items": ["null", _type(parts[0], f"{path}_item")]}
    if word == "map":
        return _map(parts, path)
    pairs = (each.partition(":") for each in parts)
    fields = [_field(Field(inner.strip(), type=kind.strip()), path) for inner, _, kind in pairs]
    return {"type": "record", "name": _named(path), "fields": fields}


def _map(parts: list[str], path: str) -> Made:
    """Keys of Avro's maps are text; of others it is an array of pairs, as Iceberg writes it."""
    key, value = (_type(each.strip(), f"{path}_{end}") for each, end in zip(parts, ("key", "value"), strict=True))
    if key == "string":
        return {"type": "map", "values": ["null", value]}
    pair = [{"name": "key", "type": key}, {"name": "value", "type": ["null", value], "default": None}]
    entry = {"type": "record", "name": _named(f"{path}_entry"), "fields": pair}
    return {"type": "array", "logicalType": "map", "items": entry}


def _decimal(rest: str) -> Made:
    precision, scale = (int(part) for part in rest.rstrip(")").split(","))
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def _named(text: str) -> str:
    made = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return made if _NAME.fullmatch(made) else f"_{made}"


_TYPES: dict[str, Any] = {
    "boolean": "boolean", "int": "int", "long": "long", "float": "float", "double": "double", "string": "string",
    "binary": "bytes", "date": {"type": "int", "logicalType": "date"},
    "time": {"type": "long", "logicalType": "time-micros"},
    "timestamp": {"type": "long", "logicalType": "local-timestamp-micros"},
    "timestamptz": {"type": "long", "logicalType": "timestamp-micros"},
    "uuid": {"type": "string", "logicalType": "uuid"},
}  # fmt: skip
