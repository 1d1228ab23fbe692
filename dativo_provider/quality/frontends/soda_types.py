"""Types of SQL as Soda's files write them, as our own."""

from __future__ import annotations

__all__ = ["TYPES"]

TYPES = {
    "bigint": "long", "int8": "long", "long": "long", "integer": "int", "int": "int", "int4": "int",
    "double": "double", "double precision": "double", "float8": "double", "float": "float", "real": "float",
    "varchar": "string", "text": "string", "character varying": "string", "string": "string", "char": "string",
    "boolean": "boolean", "bool": "boolean", "date": "date", "time": "time", "timestamp": "timestamp",
    "timestamp without time zone": "timestamp", "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz", "uuid": "uuid", "decimal": "decimal", "numeric": "decimal",
}  # fmt: skip
