"""Checks grouped under `soda:`: Dativo's short form, or Soda 4's own where ODCS has the same check.

Soda's `missing`, `duplicate`, `invalid` and `row_count` are the library metrics of ODCS with other spelling. Anything
else needs Soda itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import dativo_provider.quality.frontends.inline as inline
import dativo_provider.quality.frontends.odcs as odcs
from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft

__all__ = ["compile_rule"]

_METRICS = {
    "missing": "nullValues", "duplicate": "duplicateValues", "invalid": "invalidValues", "row_count": "rowCount"
}  # fmt: skip
_ARGUMENTS = {
    "valid_values": "validValues", "missing_values": "missingValues", "valid_min": "minimum", "valid_max": "maximum",
    "valid_min_length": "minLength", "valid_max_length": "maxLength", "columns": "properties",
}  # fmt: skip


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    if "type" in rule.body:
        yield from inline.compile_rule(rule, contract)
        return
    metric = next((word for word in _METRICS if word in rule.body), "")
    if metric:
        translated = _as_odcs(rule, metric)
        yield from (replace(draft, said=translated.body) for draft in odcs.compile_rule(translated, contract))
        return
    word = next(iter(rule.body), "")
    yield Draft(
        "custom",
        (rule.column,) if rule.column else (),
        engine="soda",
        not_evaluated=f"this version has no engine for Soda's '{word}' check",
        label="soda",
    )


def _as_odcs(rule: Rule, metric: str) -> Rule:
    given: Mapping[str, Any] = rule.body[metric] or {}
    bound = given.get("threshold") or {}
    arguments = {ours: given[theirs] for theirs, ours in _ARGUMENTS.items() if theirs in given}
    if pattern := (given.get("valid_format") or {}).get("regex"):
        arguments["pattern"] = pattern
    column = given.get("column") or rule.column
    if "missingValues" in arguments:
        metric = "missingValues"
    body = {
        **{key: value for key, value in rule.body.items() if key in ("name", "severity", "on_violation")},
        **{key: given[key] for key in ("name", "description") if key in given},
        **{_camel(key): value for key, value in bound.items() if key.startswith("must_")},
        "metric": _METRICS.get(metric, metric),
        "arguments": arguments,
        "unit": "percent" if bound.get("metric") == "percent" else "rows",
    }
    return replace(rule, body=body, column=column or "")


def _camel(word: str) -> str:
    word = re.sub(r"_(\w)", lambda match: match[1].upper(), word)
    return {
        "mustBeGreaterThanOrEqual": "mustBeGreaterOrEqualTo",
        "mustBeLessThanOrEqual": "mustBeLessOrEqualTo",
    }.get(word, word)
