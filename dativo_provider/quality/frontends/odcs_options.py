"""ODCS `logicalTypeOptions` and `enum`, `unique` beside them: what a column says about its own values.

`pattern` is searched for anywhere in the value, as in JSON Schema; anchor it with ^ and $ to match the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft, refuse

__all__ = ["compile_rule"]

_FORMATS = {
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s.]+$",
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$",
    "hostname": r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$",
    "ipv4": r"^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.|$)){4}$",
    "ipv6": r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$",
}
_UNCHECKED = ("multipleOf", "uniqueItems", "minProperties", "maxProperties")


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    column = contract.column(rule.column, rule)
    body, columns, kind = rule.body, (column.name,), column.type
    if bounds := _bounds(rule):
        yield Draft("range", columns, bounds)
    if lengths := {key: body[word] for key, word in _lengths(kind) if body.get(word) is not None}:
        yield Draft("length", columns, lengths)
    if pattern := body.get("pattern"):
        yield Draft("regex", columns, {"pattern": pattern})
    if body.get("enum") is not None:
        yield Draft("enum", columns, {"values": _values(rule)})
    if body.get("required") is True and not column.required:
        yield Draft("required", columns)
    if body.get("unique") is True:
        yield Draft("uniqueness", columns, label="unique")
    yield from _format(body, columns, kind)
    for word in _UNCHECKED:
        if body.get(word):
            yield Draft("text", columns, not_evaluated=f"this version does not check {word}", label=word)


def _bounds(rule: Rule) -> dict[str, Any]:
    """`exclusiveMinimum` is a flag in 3.0 and a bound in 3.1."""
    made: dict[str, Any] = {}
    for inclusive, exclusive, key in (
        ("minimum", "exclusiveMinimum", "min"),
        ("maximum", "exclusiveMaximum", "max"),
    ):
        bound, edge = rule.body.get(inclusive), rule.body.get(exclusive)
        if edge is True and bound is None:
            refuse(rule, f"{exclusive}: true without {inclusive}", f"write the bound itself: {exclusive}: 0")
        if bound is not None:
            made[f"exclusive_{key}" if edge is True else key] = bound
        if edge is not None and not isinstance(edge, bool):
            made[f"exclusive_{key}"] = edge
    return made


def _lengths(kind: str) -> tuple[tuple[str, str], ...]:
    if kind.startswith("list"):
        return (("min", "minItems"), ("max", "maxItems"))
    return (("min", "minLength"), ("max", "maxLength"))


def _values(rule: Rule) -> list[Any]:
    """3.2 allows `[{value: …, description: …}]` beside plain values."""
    values = rule.body["enum"]
    if not isinstance(values, list) or not values:
        refuse(rule, "enum must be a list of values")
    return [item["value"] if isinstance(item, dict) and "value" in item else item for item in values]


def _format(body: Mapping[str, Any], columns: tuple[str, ...], kind: str) -> Iterator[Draft]:
    """Formats of dates say how a source writes them; the cast reads ISO and judges each value itself."""
    word = body.get("format")
    if not word or kind not in ("string", "uuid", ""):
        return
    if word in _FORMATS:
        yield Draft("regex", columns, {"pattern": _FORMATS[word]}, label="format")
    else:
        reason = f"this version knows no format '{word}'"
        yield Draft("text", columns, not_evaluated=reason, label="format", said={**body, "severity": "info"})
