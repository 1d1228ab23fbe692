"""Columns of a JSON schema, as connectors of other ecosystems describe their streams. https://json-schema.org"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from dativo_provider.model.stream import Field

__all__ = ["field_of", "fields_of", "type_of"]

_FORMATS = {"date-time": "timestamptz", "date": "date", "time": "string", "singer.decimal": "decimal(38,9)"}
_AIRBYTE = {  # https://docs.airbyte.com/platform/understanding-airbyte/supported-data-types
    "timestamp_with_timezone": "timestamptz",
    "timestamp_without_timezone": "timestamp",
    "big_integer": "decimal(38,0)",
    "big_number": "decimal(38,9)",
    "integer": "long",
}
_LONG = 1 << 63
_DIGITS = 38  # of a decimal


def fields_of(schema: Mapping[str, Any], required: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """A field for each property, in order. What is nested is JSON text; a contract may say what is in it."""
    properties = schema.get("properties")
    found = properties.items() if isinstance(properties, Mapping) else ()
    return tuple(field_of(str(name), each if isinstance(each, Mapping) else {}, required) for name, each in found)


def field_of(name: str, schema: Mapping[str, Any], required: tuple[str, ...] = ()) -> Field:
    words = sorted({word for each in _branches(schema) for word in _words(each)} - {"null"})
    said = schema.get("description")
    return Field(
        name, type_of(schema), name in required, said if isinstance(said, str) else "", source_type="|".join(words)
    )


def type_of(schema: Mapping[str, Any]) -> str:
    """The narrowest type that holds every value the schema allows; text where that is anything."""
    found = {kind for each in _branches(schema) for kind in _types(each)}
    if found <= {"long", "double"} and len(found) == 2:
        return "double"
    return found.pop() if len(found) == 1 else "string"


def _branches(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema, or each of its alternatives."""
    below = [each for word in ("anyOf", "oneOf") for each in schema.get(word) or () if isinstance(each, Mapping)]
    for each in below:
        yield from _branches({**{key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}, **each})
    if not below:
        yield schema


def _words(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("type")
    return [str(each) for each in found] if isinstance(found, list) else [str(found)] if found else []


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    words = [word for word in _words(schema) if word != "null"]
    if not words and "null" not in _words(schema):
        yield "string"
    for word in words:
        if word == "string":
            yield _text(schema)
        elif word == "integer":
            yield _whole(schema)
        elif word == "number":
            yield _number(schema)
        else:
            yield "boolean" if word == "boolean" else "string"


def _text(schema: Mapping[str, Any]) -> str:
    kind = _AIRBYTE.get(str(schema.get("airbyte_type")))
    return kind or _FORMATS.get(str(schema.get("format")), "string")


def _whole(schema: Mapping[str, Any]) -> str:
    if schema.get("airbyte_type") == "big_integer":
        return "decimal(38,0)"
    low, high = _limit(schema, "minimum", "exclusiveMinimum"), _limit(schema, "maximum", "exclusiveMaximum")
    beyond = (high is not None and high > _LONG) or (low is not None and low < -_LONG)
    return "decimal(38,0)" if beyond else "long"


def _number(schema: Mapping[str, Any]) -> str:
    """Exact where the schema says of what it is a multiple: `multipleOf: 0.01` keeps cents."""
    kind = _AIRBYTE.get(str(schema.get("airbyte_type")))
    if kind:
        return kind
    step = _number_at(schema, "multipleOf")
    exponent = step.normalize().as_tuple().exponent if step else None
    if step is None or not isinstance(exponent, int) or step <= 0:
        return "double"
    scale = max(0, -exponent)
    bounds = (_limit(schema, "minimum", "exclusiveMinimum"), _limit(schema, "maximum", "exclusiveMaximum"))
    if scale > _DIGITS:
        return "double"
    if None in bounds:
        return f"decimal({_DIGITS},{scale})"
    most = max(abs(each) for each in bounds if each is not None)
    digits = max(1, most.adjusted() + (0 if _is_power(most) else 1)) + scale
    return f"decimal({min(digits, _DIGITS)},{scale})"


def _is_power(value: Decimal) -> bool:
    """`maximum: 100` of an exclusive range holds two digits; counting it as three would do no harm but look odd."""
    return value.normalize().as_tuple().digits == (1,)


def _limit(schema: Mapping[str, Any], *words: str) -> Decimal | None:
    return next((found for word in words if (found := _number_at(schema, word)) is not None), None)


def _number_at(schema: Mapping[str, Any], word: str) -> Decimal | None:
    found = schema.get(word)
    if isinstance(found, bool) or not isinstance(found, (int, float, Decimal)):
        return None
    return Decimal(str(found))
