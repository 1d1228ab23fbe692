"""Checks grouped under `soda:`: Soda 4's contract language, SodaCL of Soda 3, and Dativo's short form.

Counts follow Soda: a percentage is of all rows, of a column's duplicates of its values. Anything Soda knows and we do
not, or `engine: soda`, is for the engine itself. https://docs.soda.io/reference/contract-language-reference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dativo_provider.quality.frontends.inline as inline
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends import soda_legacy, sodacl
from dativo_provider.quality.frontends.base import Contract, Draft, did_you_mean, refuse
from dativo_provider.quality.frontends.soda_thresholds import Level, levels
from dativo_provider.quality.frontends.soda_types import TYPES
from dativo_provider.quality.frontends.soda_validity import absent, invalid, missing
from dativo_provider.quality.frontends.sqltext import all_of, over_rows
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.sql.names import quoted

__all__ = ["MAPPED", "compile_rule"]

NONE = Threshold("mustBe", 0)
_KEPT = ("name", "id", "severity", "on_violation", "description", "dimension")
_BESIDE = frozenset({"engine", "where", "filter", "dataset", "columns_declared", *_KEPT})
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class SodaCheck:
    """One check: its type, its body, and the column it stands under."""

    word: str
    body: Mapping[str, Any]
    rule: Rule
    contract: Contract

    def column(self) -> str:
        return self.contract.column(self.body.get("column") or self.rule.column, self.rule).name

    @property
    def where(self) -> str:
        """The contract's filter and the check's."""
        return all_of(str(part) for part in (self.rule.body.get("filter"), self.body.get("filter")) if part)

    def said(self) -> dict[str, Any]:
        given = {**self.rule.body, **self.body}
        said = {key: given[key] for key in _KEPT if given.get(key)}
        return {**said, **({"where": self.where} if self.where else {})}

    def levels(self, default: Threshold | None) -> list[Level]:
        return levels(self.rule, self.body.get("threshold"), default)


Made = Iterator[Draft]


def compile_rule(rule: Rule, contract: Contract) -> Made:
    if soda_legacy.is_legacy(rule.body):
        rule = replace(rule, body=soda_legacy.translated(rule))
    elif "type" in rule.body:
        yield from inline.compile_rule(rule, contract)
        return
    words = [key for key in rule.body if key not in _BESIDE]
    word = words[0] if words else ""
    if word not in MAPPED or sodacl.is_schema(rule.body.get(word)):
        yield from _other(word, rule, contract)
        return
    body = rule.body[word] or {}
    if not isinstance(body, Mapping):
        refuse(rule, f"{word} must be a mapping of keys", f"write {word}: {{threshold: …}}")
    check = SodaCheck(word, body, rule, contract)
    if rule.body.get("engine") == "soda" or body.get("engine") == "soda" or body.get("column_expression"):
        yield _native(check)
        return
    for draft in MAPPED[word](check):
        yield replace(draft, said={**check.said(), **(draft.said or {})})


def _other(word: str, rule: Rule, contract: Contract) -> Made:
    if sodacl.understands(word, rule.body.get(word)):
        yield from sodacl.compile_rule(rule, contract)
        return
    hint = did_you_mean(word, MAPPED)
    refuse(rule, f"'{word}' is no check of Soda", hint or f"use one of {', '.join(MAPPED)}, or a SodaCL check")


def _native(check: SodaCheck) -> Draft:
    """As a part of a Soda 4 contract."""
    own = [{check.word: {key: value for key, value in check.body.items() if key != "engine"} or None}]
    column = check.rule.column
    native = {"columns": [{"name": column, "checks": own}]} if column else {"checks": own}
    said = {key: value for key, value in check.said().items() if key != "where"}
    return Draft("custom", (column,) if column else (), {"native": native}, engine="soda", label=check.word, said=said)


def _decided(check: SodaCheck, draft: Draft, default: Threshold | None, *, rows: bool = False) -> Made:
    """The draft once for each level and each end. `rows`: where none may fail, each row is judged by itself."""
    for level in check.levels(default):
        said = {**(draft.said or {}), **({"severity": level.severity} if level.severity else {})}
        for allowed in level.allowed:
            yield replace(draft, allowed=None if rows and allowed.zero else allowed, said=said)


def _missing(check: SodaCheck) -> Made:
    yield from _decided(check, missing(check.rule, check.column(), check.body), NONE, rows=True)


def _invalid(check: SodaCheck) -> Made:
    if reference := check.body.get("valid_reference_data"):
        yield from _reference(check, reference)
        return
    yield from _decided(check, invalid(check.rule, check.column(), check.body), NONE, rows=True)


def _reference(check: SodaCheck, reference: Any) -> Made:
    if not isinstance(reference, Mapping) or not reference.get("dataset") or not reference.get("column"):
        refuse(check.rule, "valid_reference_data wants dataset and column")
    params = {"table": str(reference["dataset"]).split("/")[-1], "to": [str(reference["column"])]}
    yield from _decided(check, Draft("reference", (check.column(),), params, label="reference"), NONE)


def _duplicate(check: SodaCheck) -> Made:
    if columns := check.body.get("columns"):
        names = tuple(check.contract.column(name, check.rule).name for name in columns)
        yield from _duplicates_of_several(check, names)
        return
    column = check.column()
    present = f"NOT ({absent(check.rule, column, check.body)})" if "missing_values" in check.body else ""
    surplus = f"count({quoted(column)}) - count(DISTINCT {quoted(column)})"
    yield from _duplicates(check, (column,), surplus, f"nullif(count({quoted(column)}), 0)", present)


def _duplicates_of_several(check: SodaCheck, names: tuple[str, ...]) -> Made:
    """NULL is a value of a key of several columns."""
    key = f"DISTINCT ({', '.join(map(quoted, names))})"
    surplus = f"count(*) - count({key})"
    whole = all(check.contract.column(name, check.rule).required for name in names)
    yield from _duplicates(check, names, surplus, "nullif(count(*), 0)", exact=not whole)


def _duplicates(
    check: SodaCheck, columns: tuple[str, ...], surplus: str, total: str, present: str = "", *, exact: bool = False
) -> Made:
    """Rows beyond the first of each key; in percent of `total`."""
    for level in check.levels(NONE):
        said: dict[str, Any] = {"severity": level.severity} if level.severity else {}
        if where := all_of((present, check.where)):
            said["where"] = where
        for allowed in level.allowed:
            if allowed.unit == "rows" and not exact:
                yield Draft("uniqueness", columns, allowed=None if allowed.zero else allowed, label="unique", said=said)
                continue
            value = f"100.0 * ({surplus}) / {total}" if allowed.unit == "percent" else surplus
            query = {"query": f"SELECT coalesce({value}, 0) FROM {{object}}"}
            yield Draft("sql", columns, query, replace(allowed, unit="rows"), label="duplicates", said=said)


def _row_count(check: SodaCheck) -> Made:
    yield from _decided(check, Draft("row_count"), Threshold("mustBeGreaterThan", 0))


def _aggregate(check: SodaCheck) -> Made:
    function = str(check.body.get("function") or "").lower()
    if function not in FUNCTIONS:
        hint = did_you_mean(function, FUNCTIONS)
        refuse(check.rule, f"function: '{function}' is unknown", hint or f"use one of {', '.join(FUNCTIONS)}")
    params = {"function": FUNCTIONS[function]}
    yield from _decided(check, Draft("aggregate", (check.column(),), params, label=function), None)


def _metric(check: SodaCheck) -> Made:
    """An aggregate in SQL, or a query that yields one number."""
    query = check.body.get("query") or ""
    if expression := check.body.get("expression"):
        query = f"SELECT {expression} FROM {{object}}"
    if not query:
        refuse(check.rule, "a metric check needs expression or query", "add expression: avg(amount)")
    yield from _decided(check, Draft("sql", _under(check), {"query": _over_rows(check, query)}, label="metric"), None)


def _failed_rows(check: SodaCheck) -> Made:
    if check.body.get("keys_query") or check.body.get("rows_tested_query"):
        yield _native(check)
    elif expression := check.body.get("expression"):
        params = {"expression": f"NOT coalesce(({expression}), FALSE)"}
        yield from _decided(check, Draft("condition", _under(check), params, label="failed_rows"), NONE, rows=True)
    elif query := check.body.get("query"):
        params = {"query": _over_rows(check, query)}
        yield from _decided(check, Draft("failed_rows", _under(check), params), NONE)
    else:
        refuse(check.rule, "a failed_rows check needs expression or query", "add expression: amount < 0")


def _under(check: SodaCheck) -> tuple[str, ...]:
    return (check.column(),) if check.rule.column else ()


def _over_rows(check: SodaCheck, query: str) -> str:
    """The contract's own dataset, by whatever prefix, is the rows under judgement."""
    dataset = str(check.rule.body.get("dataset") or "").split("/")[-1]
    if dataset:
        named = rf'\b(from|join)\s+(?:"?\w+"?\.)*"?{re.escape(dataset)}"?(?!\w)'
        query = re.sub(named, r"\1 {object}", query, flags=re.IGNORECASE)
    return over_rows(query, check.rule.column)


def _freshness(check: SodaCheck) -> Made:
    column = check.column()
    unit = (check.body.get("threshold") or {}).get("unit", "hour")
    if unit not in _SECONDS:
        refuse(check.rule, f"unit: '{unit}' is unknown", "write minute, hour or day")
    for level in check.levels(None):
        allowed = level.allowed[0]
        if allowed.op not in ("mustBeLessThan", "mustBeLessOrEqualTo"):
            refuse(check.rule, f"freshness {allowed} has no upper bound", "use must_be_less_than")
        params: dict[str, Any] = {"max_age_seconds": allowed.value * _SECONDS[unit]}
        zone = check.contract.column(column, check.rule).timezone
        params |= {"timezone": zone} if zone != "UTC" else {}
        yield Draft("freshness", (column,), params, said={"severity": level.severity} if level.severity else None)


def _schema(check: SodaCheck) -> Made:
    """The columns that the contract declares, or those of the table's contract."""
    declared: Mapping[str, Any] = check.rule.body.get("columns_declared") or {}
    names = [str(name) for name in declared] or [item.name for item in check.contract.fields]
    types = {name: TYPES.get(str(kind).split("(")[0].strip().lower(), "") for name, kind in declared.items() if kind}
    if "" in types.values():
        unknown = next(kind for name, kind in declared.items() if kind and not types[name])
        raise ConfigurationError(
            f"schema check: data_type '{unknown}' is unknown",
            where=check.rule.declared_in,
            remedy=f"use one of {', '.join(TYPES)}",
        )
    order, others = not check.body.get("allow_other_column_order"), bool(check.body.get("allow_extra_columns"))
    params = {"names": names, "order": order, "others": others, **({"types": types} if types else {})}
    yield Draft("schema", (), params, said={} if not check.where else {"where": ""})


# Soda's function → ours
FUNCTIONS = {
    "avg": "avg", "sum": "sum", "min": "min", "max": "max", "stddev": "stddev", "stddev_samp": "stddev",
    "stddev_pop": "stddev_pop", "variance": "variance", "var_samp": "variance", "var_pop": "var_pop",
    "avg_length": "avg_length", "min_length": "min_length", "max_length": "max_length",
}  # fmt: skip
MAPPED: dict[str, Callable[[SodaCheck], Made]] = {
    "missing": _missing,
    "invalid": _invalid,
    "duplicate": _duplicate,
    "row_count": _row_count,
    "aggregate": _aggregate,
    "metric": _metric,
    "failed_rows": _failed_rows,
    "freshness": _freshness,
    "schema": _schema,
}
