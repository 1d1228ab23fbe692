"""A JSON Schema of one row. https://json-schema.org/draft/2020-12"""

from __future__ import annotations

from dativo_provider.cli.exports.base import Made, Text, as_json
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.stream import Field

__all__ = ["write"]


def write(_: ContractSource, table: TableContract) -> Text:
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": table.name,
        **({"description": table.description} if table.description else {}),
        "type": "object",
        "properties": {field.name: _property(field) for field in table.fields},
        "required": [field.name for field in table.fields if field.required],
    }
    return as_json(made), []


def _property(field: Field) -> Made:
    kind = field.type.split("(")[0].split("<")[0]
    made = dict(_JSON.get(kind, {"type": "string"}))
    if not field.required:
        made["type"] = [made["type"], "null"]
    return made | ({"description": field.description} if field.description else {})


_JSON: dict[str, Made] = {
    "boolean": {"type": "boolean"}, "int": {"type": "integer"}, "long": {"type": "integer"},
    "float": {"type": "number"}, "double": {"type": "number"}, "decimal": {"type": "number"},
    "date": {"type": "string", "format": "date"}, "time": {"type": "string", "format": "time"},
    "timestamp": {"type": "string"}, "timestamptz": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"}, "list": {"type": "array"}, "map": {"type": "object"},
    "struct": {"type": "object"},
}  # fmt: skip
