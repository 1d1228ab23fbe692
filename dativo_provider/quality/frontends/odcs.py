"""ODCS `quality:` rules, 3.0 to 3.2. https://bitol-io.github.io/open-data-contract-standard/

`library` rules count failing rows against a threshold. Where none may fail, each failing row is judged by itself
and can be quarantined; where some may, the count decides. `text` is documentation, `sql` one number over the rows,
`custom` a check in the language of its `engine`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends import implementation
from dativo_provider.quality.frontends.base import Contract, Draft, did_you_mean, refuse
from dativo_provider.quality.frontends.sqltext import over_rows
from dativo_provider.quality.frontends.thresholds import Threshold, threshold

__all__ = ["compile_rule"]

# `rule:` of 3.0 → `metric:` of 3.1
_OLDER = {
    "duplicateCount": "duplicateValues", "duplicates": "duplicateValues", "unique": "duplicateValues",
    "validValues": "invalidValues", "nullCheck": "nullValues", "nullCount": "nullValues", "notNull": "nullValues",
    "missingCount": "missingValues", "row_count": "rowCount", "between": "invalidValues",
}  # fmt: skip
_VARIABLE = re.compile(r"\$\{\w+(?::-[^}]*)?\}")
Made = Iterator[Draft]


def compile_rule(rule: Rule, contract: Contract) -> Made:
    kind = rule.body.get("type") or ("library" if rule.body.get("metric") or rule.body.get("rule") else "text")
    if kind == "library":
        yield from _library(rule, contract)
    elif kind == "text":
        yield Draft("text", _columns(rule, contract))
    elif kind == "sql":
        yield _sql(rule, contract)
    elif kind == "custom":
        yield from implementation.compile_rule(rule, contract)
    else:
        refuse(rule, f"type '{kind}' is unknown", "write library, text, sql or custom")


def _sql(rule: Rule, contract: Contract) -> Draft:
    """One number over the rows of the run, which the query calls `{object}`, or `${table}` in older files."""
    allowed, query = threshold(rule), rule.body.get("query")
    if not isinstance(query, str) or not query.strip():
        refuse(rule, "a sql rule needs a query", "add query: SELECT count(*) FROM {object} WHERE …")
    if allowed is None:
        refuse(rule, "a sql rule has no operator", "add one, such as mustBe: 0")
    columns = _columns(rule, contract)
    written = over_rows(query, columns[0] if columns else "")
    if variable := _VARIABLE.search(written):
        return Draft("text", columns, not_evaluated=f"nothing here fills in {variable[0]}", label="sql")
    return Draft("sql", columns, {"query": written}, allowed)


def _library(rule: Rule, contract: Contract) -> Made:
    word = str(rule.body.get("metric") or rule.body.get("rule"))
    metric = _OLDER.get(word, word)
    if metric not in _METRICS and _is_foreign(rule, word):
        yield Draft("text", _columns(rule, contract), not_evaluated=f"nothing here evaluates the rule '{word}'")
        return
    if metric not in _METRICS:
        refuse(rule, f"metric '{word}' is unknown", did_you_mean(word, _METRICS) or f"use one of {', '.join(_METRICS)}")
    timed = metric == "freshness"
    if timed and str(rule.body.get("unit") or "hours").lower()[:1] not in _SECONDS:
        refuse(rule, f"unit: '{rule.body['unit']}' is no unit of time", "write minutes, hours or days")
    counted = replace(rule, body={**rule.body, "unit": "rows"}) if timed else rule
    yield from _METRICS[metric](rule, contract, threshold(counted))


def _is_foreign(rule: Rule, word: str) -> bool:
    """ODCS 3.0 lets a `rule:` be called anything; one that is nearly ours is misspelt."""
    return not rule.body.get("metric") and not get_close_matches(word, (*_METRICS, *_OLDER), 1, 0.8)


def _columns(rule: Rule, contract: Contract) -> tuple[str, ...]:
    """The column the rule stands under, or those its `arguments.properties` name."""
    names = [rule.column] if rule.column else _arguments(rule).get("properties") or ()
    names = names if isinstance(names, (list, tuple)) else [names]
    return tuple(contract.column(name, rule).name for name in names)


def _one_column(rule: Rule, contract: Contract) -> tuple[str, ...]:
    columns = _columns(rule, contract)
    if len(columns) != 1:
        refuse(rule, "it stands under no column", "move it below the property it is about")
    return columns


def _arguments(rule: Rule) -> Mapping[str, Any]:
    """With the `validValues` that 3.0 writes beside its `rule:`, and the ends of a `between` in its properties."""
    given = rule.body.get("arguments") or {}
    if not isinstance(given, dict):
        refuse(rule, "arguments must be a mapping")
    older = {"validValues": rule.body["validValues"]} if rule.body.get("validValues") else {}
    if rule.body.get("rule") == "between":
        named = {str(each.get("property")): each.get("value") for each in rule.body.get("customProperties") or ()}
        older |= {key: named[key] for key in ("min", "max") if named.get(key) is not None}
    return {**older, **given}


def _counted(allowed: Threshold | None) -> Threshold | None:
    """None where no row may fail."""
    return None if allowed is None or allowed.zero else allowed


def _null_values(rule: Rule, contract: Contract, allowed: Threshold | None) -> Made:
    yield Draft("required", _one_column(rule, contract), allowed=_counted(allowed), label="null_values")


def _missing_values(rule: Rule, contract: Contract, allowed: Threshold | None) -> Made:
    words = [value for value in _listed(rule, "missingValues") if value is not None]
    columns = _one_column(rule, contract)
    yield Draft("required", columns, {"missing": words}, allowed=_counted(allowed), label="missing_values")


def _invalid_values(rule: Rule, contract: Contract, allowed: Threshold | None) -> Made:
    columns, given, counted = _one_column(rule, contract), _arguments(rule), _counted(allowed)
    drafts = list(_invalid_drafts(rule, columns, given, counted))
    if not drafts:
        hint = "indent pattern so that it stands inside arguments" if "pattern" in rule.body else ""
        refuse(rule, "arguments name neither validValues nor pattern nor a bound", hint)
    yield from drafts


def _invalid_drafts(
    rule: Rule, columns: tuple[str, ...], given: Mapping[str, Any], counted: Threshold | None
) -> Iterator[Draft]:
    if "validValues" in given:
        yield Draft("enum", columns, {"values": _listed(rule, "validValues")}, allowed=counted)
    if "pattern" in given:
        yield Draft("regex", columns, {"pattern": _pattern(rule, given["pattern"])}, allowed=counted)
    bounds = {ours: given[theirs] for theirs, ours in _BOUNDS.items() if theirs in given}
    if bounds:
        yield Draft("range", columns, bounds, allowed=counted)
    lengths = {ours: given[theirs] for theirs, ours in _LENGTHS.items() if theirs in given}
    if lengths:
        yield Draft("length", columns, lengths, allowed=counted)


_BOUNDS = {
    "minimum": "min", "maximum": "max", "min": "min", "max": "max",
    "exclusiveMinimum": "exclusive_min", "exclusiveMaximum": "exclusive_max",
}  # fmt: skip
_LENGTHS = {"minLength": "min", "maxLength": "max"}


def _pattern(rule: Rule, pattern: Any) -> str:
    if not isinstance(pattern, str) or not pattern:
        refuse(rule, f"pattern: {pattern!r} is no regular expression")
    return pattern


def _listed(rule: Rule, key: str) -> list[Any]:
    values = _arguments(rule).get(key)
    if not isinstance(values, list) or not values:
        refuse(rule, f"arguments.{key} must be a list of values")
    return values


def _duplicate_values(rule: Rule, contract: Contract, allowed: Threshold | None) -> Made:
    columns = _columns(rule, contract)
    if not columns:
        refuse(rule, "it names no column", "list the key's columns in arguments.properties")
    yield Draft("uniqueness", columns, allowed=_counted(allowed), label="unique")


def _row_count(rule: Rule, _: Contract, allowed: Threshold | None) -> Made:
    if allowed is None:
        refuse(rule, "rowCount has no operator", "add one, such as mustBeGreaterThan: 0")
    if allowed.unit == "percent":
        refuse(rule, "rowCount has no percentage", "use unit: rows")
    yield Draft("row_count", (), allowed=allowed)


def _freshness(rule: Rule, contract: Contract, allowed: Threshold | None) -> Made:
    """`mustBeLessThan: 24` with `unit: hours`."""
    if allowed is None or allowed.op not in ("mustBeLessThan", "mustBeLessOrEqualTo"):
        refuse(rule, "freshness has no upper bound", "add mustBeLessThan: 24 and unit: hours")
    seconds = allowed.value * _SECONDS[str(rule.body.get("unit") or "hours").lower()[:1]]
    columns = _one_column(rule, contract)
    zone = contract.column(columns[0], rule).timezone
    yield Draft("freshness", columns, {"max_age_seconds": seconds, **({"timezone": zone} if zone != "UTC" else {})})


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_METRICS: dict[str, Callable[[Rule, Contract, Threshold | None], Made]] = {
    "nullValues": _null_values,
    "missingValues": _missing_values,
    "invalidValues": _invalid_values,
    "duplicateValues": _duplicate_values,
    "rowCount": _row_count,
    "freshness": _freshness,
}
