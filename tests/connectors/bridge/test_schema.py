"""Types of JSON schemas: the narrowest that holds every value."""

from __future__ import annotations

from typing import Any

import pytest

from dativo_provider.connectors.bridge.schema import fields_of, type_of


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["null", "integer"]}, "long"),
        ({"type": "integer", "maximum": 2**64}, "decimal(38,0)"),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, "long"),
        ({"type": "number"}, "double"),
        ({"type": ["integer", "number", "null"]}, "double"),
        ({"type": "number", "multipleOf": 0.01}, "decimal(38,2)"),
        ({"type": "number", "multipleOf": 1e-6, "minimum": -1e6, "maximum": 1e6}, "decimal(12,6)"),
        ({"type": "number", "multipleOf": 0.01, "exclusiveMinimum": True, "minimum": -999, "maximum": 9999.99},
         "decimal(6,2)"),
        ({"type": "number", "multipleOf": 100}, "decimal(38,0)"),
        ({"type": "number", "multipleOf": 0}, "double"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string", "format": "date-time"}, "timestamptz"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "time"}, "string"),
        ({"type": "string", "format": "singer.decimal"}, "decimal(38,9)"),
        ({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}, "timestamp"),
        ({"type": "number", "airbyte_type": "integer"}, "long"),
        ({"type": "string", "airbyte_type": "big_integer"}, "decimal(38,0)"),
        ({"type": "object"}, "string"),
        ({"type": ["array", "null"]}, "string"),
        ({"type": ["string", "integer"]}, "string"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "timestamptz"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "double"),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "string"),
        ({}, "string"),
        ({"type": "null"}, "string"),
    ],
)  # fmt: skip
def test_types(schema: dict[str, Any], wanted: str) -> None:
    assert type_of(schema) == wanted


def test_fields_keep_their_order_and_what_is_said_of_them() -> None:
    found = fields_of({"properties": {"b": {"type": "integer", "description": "the b"}, "a": True}})
    assert [(each.name, each.type, each.description) for each in found] == [("b", "long", "the b"), ("a", "string", "")]
    assert fields_of({}) == ()
