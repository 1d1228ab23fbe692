"""A CREATE TABLE in standard SQL."""

from __future__ import annotations

from dativo_provider.cli.exports.base import Text
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.stream import Field

__all__ = ["sql_type", "write"]


def write(_: ContractSource, table: TableContract) -> Text:
    from dativo_provider.sql.names import quoted

    lines, left = [], []
    for field in table.fields:
        if kind := sql_type(field):
            lines.append(f"  {quoted(field.name)} {kind}{' NOT NULL' if field.required else ''}")
        else:
            left.append(f"column {field.name}, which is {field.type}")
    if table.primary_key:
        lines.append(f"  PRIMARY KEY ({', '.join(map(quoted, table.primary_key))})")
    return f"CREATE TABLE {quoted(table.name)} (\n" + ",\n".join(lines) + "\n);\n", left


def sql_type(field: Field) -> str:
    """Empty for what has parts."""
    word, bracket, rest = field.type.partition("(")
    return _TYPES[word] + bracket + rest if word in _TYPES else ""


_TYPES = {
    "boolean": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "float": "REAL", "double": "DOUBLE PRECISION",
    "decimal": "DECIMAL", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE", "string": "VARCHAR", "uuid": "UUID", "binary": "VARBINARY",
}  # fmt: skip
