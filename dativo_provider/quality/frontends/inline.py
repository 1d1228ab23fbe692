"""Dativo's own short form: `{name, type, severity, field | column | columns, …}` in `quality_checks` and contracts.

A `regex` check without a field or a pattern loads, is reported as not evaluated, and never counts as passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends import inline_dataset
from dativo_provider.quality.frontends.base import Contract, Draft, did_you_mean, only_number, refuse
from dativo_provider.quality.frontends.links import BROKEN, is_about_links, text_column
from dativo_provider.quality.frontends.words import BOUNDS, named, needed, one_of, some

__all__ = ["compile_rule"]

_COMMON = frozenset(
    "id name type severity field column columns description dimension on_violation tolerance where filter".split()
)


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    word = str(rule.body.get("type") or "")
    if word not in _TYPES:
        known = sorted(_TYPES)
        refuse(rule, f"type '{word}' is unknown", did_you_mean(word, known) or f"use one of {', '.join(known)}")
    compile_type, keys = _TYPES[word]
    if strange := [key for key in rule.body if key not in _COMMON | keys]:
        hint = did_you_mean(strange[0], _COMMON | keys)
        refuse(rule, f"unknown key '{strange[0]}'", hint or f"a {word} check takes {', '.join(sorted(keys))}")
    yield from compile_type(rule, contract)


def _not_null(rule: Rule, contract: Contract) -> Iterator[Draft]:
    yield from (Draft("required", (column,), label="not_null") for column in some(rule, contract))


def _unique(rule: Rule, contract: Contract) -> Iterator[Draft]:
    scope = one_of(rule, "scope", ("run", "table"), "run")
    yield Draft("uniqueness", some(rule, contract), {"scope": scope} if scope == "table" else {}, label="unique")


def _range(rule: Rule, contract: Contract) -> Iterator[Draft]:
    bounds = _given(rule.body, {"min", "max", "exclusive_min", "exclusive_max"})
    if not bounds:
        refuse(rule, "a range check needs a bound", "add min, max, exclusive_min or exclusive_max")
    yield from (Draft("range", (column,), bounds) for column in some(rule, contract))


def _length(rule: Rule, contract: Contract) -> Iterator[Draft]:
    bounds = {
        key: value
        for key in ("min", "max")
        if (value := rule.body.get(key, rule.body.get(f"{key}_length"))) is not None
    }
    if not bounds:
        refuse(rule, "a length check needs a bound", "add min or max")
    yield from (Draft("length", (column,), bounds) for column in some(rule, contract))


def _regex(rule: Rule, contract: Contract) -> Iterator[Draft]:
    columns, pattern = named(rule, contract), rule.body.get("pattern") or rule.body.get("regex")
    if not pattern and is_about_links(str(rule.body.get("name") or "")):
        yield from _links(columns or tuple(filter(None, [text_column(contract.fields)])))
        return
    if not columns or not pattern:
        lacking = " and ".join(word for word, given in (("field", columns), ("pattern", pattern)) if not given)
        yield Draft("regex", columns, not_evaluated=f"a regex check without {lacking} looks at nothing")
        return
    if not isinstance(pattern, str):
        refuse(rule, f"pattern: {pattern!r} is no regular expression", "quote it")
    params = {"pattern": pattern, **({"negate": True} if rule.body.get("negate") else {})}
    yield from (Draft("regex", (column,), params) for column in columns)


def _links(columns: tuple[str, ...]) -> Iterator[Draft]:
    """A check named after links finds broken ones in the documents."""
    if not columns:
        reason = "a check of links without field looks at nothing: which column holds the documents is not clear"
        yield Draft("regex", not_evaluated=reason)
    yield from (Draft("regex", (column,), {"pattern": BROKEN, "negate": True}, label="links") for column in columns)


def _enum(rule: Rule, contract: Contract) -> Iterator[Draft]:
    values = rule.body.get("values") or rule.body.get("enum") or rule.body.get("valid_values")
    if not isinstance(values, list):
        refuse(rule, "an enum check needs a list of values", "add values: [A, B]")
    yield from (Draft("enum", (column,), {"values": values}) for column in some(rule, contract))


def _freshness(rule: Rule, contract: Contract) -> Iterator[Draft]:
    """Without a column: the cursor of the stream, else the only moment among the columns."""
    hours = rule.body.get("max_age_hours")
    if not only_number(hours) or hours <= 0:
        refuse(rule, f"max_age_hours: {hours!r}", "write how many hours old the newest row may be, such as 24")
    columns = named(rule, contract) or _newest(contract)
    params = {"max_age_seconds": hours * 3600, **_zone(contract, columns)}
    reason = "" if columns else "no column is named, and which one tells a row's age is not clear"
    yield Draft("freshness", columns, params, not_evaluated=reason)


def _newest(contract: Contract) -> tuple[str, ...]:
    moments = [item.name for item in contract.fields if item.type in ("timestamp", "timestamptz")]
    if contract.cursor_field in moments:
        return (contract.cursor_field,)
    return tuple(moments) if len(moments) == 1 else ()


def _zone(contract: Contract, columns: tuple[str, ...]) -> dict[str, str]:
    zone = next((item.timezone for item in contract.fields if item.name in columns), "UTC")
    return {} if zone == "UTC" else {"timezone": zone}


def _row_count(rule: Rule, _: Contract) -> Iterator[Draft]:
    yield Draft("row_count", (), allowed=needed(rule))


def _given(body: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: body[key] for key in keys if body.get(key) is not None}


Compile = Callable[[Rule, Contract], Iterator[Draft]]
_NOTHING: frozenset[str] = frozenset()
_MATCH = frozenset({"pattern", "regex", "negate"})
_ALLOWED = frozenset({"values", "enum", "valid_values"})
_LENGTHS = frozenset({"min", "max", "min_length", "max_length"})
_RANGE = frozenset({"min", "max", "exclusive_min", "exclusive_max"})
_TYPES: dict[str, tuple[Compile, frozenset[str]]] = {
    **dict.fromkeys(("null_check", "not_null", "required", "null", "completeness"), (_not_null, _NOTHING)),
    **dict.fromkeys(("unique", "uniqueness", "unique_check"), (_unique, frozenset({"scope"}))),
    **dict.fromkeys(("range", "range_check"), (_range, _RANGE)),
    **dict.fromkeys(("length", "length_check"), (_length, _LENGTHS)),
    **dict.fromkeys(("regex", "pattern", "pattern_check"), (_regex, _MATCH)),
    **dict.fromkeys(("enum", "values", "enum_check", "accepted_values"), (_enum, _ALLOWED)),
    "freshness": (_freshness, frozenset({"max_age_hours"})),
    "row_count": (_row_count, BOUNDS),
    **inline_dataset.TYPES,
}
