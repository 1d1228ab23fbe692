"""Expectations that say the same as a check of ours; any other needs Great Expectations itself.

`{name: expect_column_values_to_be_between, column: …, min_value: …, mostly: 0.99}`; class names are understood too.
`mostly` becomes the tolerated share of failing rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import dativo_provider.quality.frontends.inline as inline
from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft

__all__ = ["compile_rule"]

Kwargs = Mapping[str, Any]


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    if "type" in rule.body and not str(rule.body["type"]).lower().startswith("expect"):
        yield from inline.compile_rule(rule, contract)
        return
    word = _name(rule)
    kwargs = {**rule.body, **(rule.body.get("kwargs") or {})}
    if word in _SAME:
        translated = _as_inline(rule, word, kwargs)
        yield from (replace(draft, said=translated.body) for draft in inline.compile_rule(translated, contract))
        return
    yield Draft(
        "custom",
        engine="great_expectations",
        params={"expectation": word},
        not_evaluated=f"this version has no engine for the expectation '{word}'",
        label="expectation",
    )


def _name(rule: Rule) -> str:
    word = next(
        (str(rule.body[key]) for key in ("expectation", "expectation_type", "type", "name") if key in rule.body), ""
    )
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()


def _as_inline(rule: Rule, word: str, kwargs: Kwargs) -> Rule:
    kept = ("severity", "on_violation", "description", "dimension", "id")
    body = {key: rule.body[key] for key in kept if key in rule.body}
    name = rule.body.get("name")
    if name and name != word:
        body["name"] = name
    if "mostly" in kwargs:
        body["tolerance"] = round(1 - kwargs["mostly"], 12)
    made = {key: value for key, value in _SAME[word](kwargs).items() if value is not None}
    return replace(rule, body={**body, **made})


def _between(kwargs: Kwargs, kind: str = "range") -> dict[str, Any]:
    low = "exclusive_min" if kwargs.get("strict_min") else "min"
    high = "exclusive_max" if kwargs.get("strict_max") else "max"
    return {"type": kind, **_column(kwargs), low: kwargs.get("min_value"), high: kwargs.get("max_value")}


def _column(kwargs: Kwargs) -> dict[str, Any]:
    return {"column": kwargs.get("column")}


_SAME: dict[str, Callable[[Kwargs], dict[str, Any]]] = {
    "expect_column_values_to_not_be_null": lambda k: {"type": "not_null", **_column(k)},
    "expect_column_values_to_be_unique": lambda k: {"type": "unique", **_column(k)},
    "expect_compound_columns_to_be_unique": lambda k: {"type": "unique", "columns": k.get("column_list")},
    "expect_column_values_to_be_in_set": lambda k: {"type": "enum", **_column(k), "values": k.get("value_set")},
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": lambda k: _between(k, "length"),
    "expect_column_values_to_match_regex": lambda k: {"type": "regex", **_column(k), "pattern": k.get("regex")},
    "expect_column_values_to_not_match_regex": lambda k: {
        "type": "regex", **_column(k), "pattern": k.get("regex"), "negate": True
    },
    "expect_table_row_count_to_be_between": lambda k: {
        "type": "row_count", "min": k.get("min_value"), "max": k.get("max_value")
    },
}  # fmt: skip
