"""A contract of Soda 4. https://docs.soda.io/contract-language-reference"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dativo_provider.cli.exports.base import Body, Made, Text, as_yaml, checks_of
from dativo_provider.cli.exports.sql import sql_type
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends.soda_thresholds import OPERATORS

__all__ = ["made", "write"]

_WORDS = {theirs: ours for ours, theirs in OPERATORS.items() if ours != "must_not_be_between"}


def write(contract: ContractSource, table: TableContract) -> Text:
    body, left = made(contract, table)
    return as_yaml(body), left


def made(contract: ContractSource, table: TableContract) -> tuple[Made, list[str]]:
    """A Soda 4 contract, and the names of checks it has no words for."""
    columns: dict[str, list[Made]] = {field.name: [] for field in table.fields}
    top: list[Made] = []
    left = []
    for check in checks_of(contract, table):
        body = _check(check, table.name)
        if body is None:
            left.append(check.name)
        elif len(check.columns) == 1 and check.kind not in ("freshness", "condition", "failed_rows"):
            columns[check.columns[0]].append(body)
        else:
            top.append(body)
    listed = [_column(field, columns[field.name]) for field in table.fields]
    return {"dataset": f"data_source/schema/{table.name}", "columns": listed, "checks": top}, left


def _column(field: Field, checks: list[Made]) -> Made:
    kind = sql_type(field)
    return {
        "name": field.name,
        **({"data_type": kind.lower()} if kind else {}),
        **({"checks": checks} if checks else {}),
    }


def _check(check: CheckSpec, table: str) -> Made | None:
    if check.kind == "custom" and check.engine == "soda" and "native" in check.params:
        native = check.params["native"]
        return dict((native.get("checks") or native["columns"][0]["checks"])[0])
    writer = _KINDS.get(check.kind)
    if "query" in check.params:
        check = replace(check, params={**check.params, "query": check.params["query"].replace("{object}", table)})
    body = writer(check) if writer else None
    if body is None or check.tolerance:
        return None
    word, given = body
    threshold = _threshold(check.params.get("allowed"))
    if check.kind == "freshness":
        threshold = {"unit": "hour", "must_be_less_than_or_equal": check.params["max_age_seconds"] / 3600}
    if check.severity != "error":
        threshold = {**(threshold or {"must_be": 0}), "level": "warn"}
    given = {"name": check.name, **given, **({"threshold": threshold} if threshold else {})}
    return {word: {**given, **({"filter": check.where} if check.where else {})}}


def _threshold(allowed: Mapping[str, Any] | None) -> Made:
    if not allowed:
        return {}
    op, value = allowed["op"], allowed["value"]
    if op == "mustBeBetween":
        value = {"greater_than_or_equal": value[0], "less_than_or_equal": value[1]}
    elif op == "mustNotBeBetween":
        value = {"greater_than": value[1], "less_than": value[0]}
    return {**({"metric": "percent"} if allowed["unit"] == "percent" else {}), _WORDS[op]: value}


def _range(check: CheckSpec) -> Body:
    p = check.params
    if p.keys() & {"exclusive_min", "exclusive_max"} or not all(isinstance(p.get(k, 0), int | float) for k in _ENDS):
        return None
    return "invalid", {f"valid_{key}": p[key] for key in _ENDS if key in p}


def _regex(check: CheckSpec) -> Body:
    key = "invalid_format" if check.params.get("negate") else "valid_format"
    return "invalid", {key: {"regex": check.params["pattern"], "name": check.name}}


def _condition(check: CheckSpec) -> Body:
    return "failed_rows", {"expression": f"NOT ({check.params['expression']})"}


def _query(check: CheckSpec, word: str) -> Body:
    """Soda calls the rows by the name of their table."""
    return word, {"query": str(check.params["query"])}


_ENDS = ("min", "max")
_FUNCTIONS: tuple[str, ...] = ("avg", "sum", "min", "max", "min_length", "max_length", "avg_length")
_KINDS: dict[str, Callable[[CheckSpec], Body]] = {
    "required": lambda c: ("missing", {"missing_values": c.params["missing"]} if c.params.get("missing") else {}),
    "enum": lambda c: (
        "invalid", {"invalid_values" if c.params.get("negate") else "valid_values": list(c.params["values"])}
    ),
    "range": _range,
    "length": lambda c: ("invalid", {f"valid_{key}_length": c.params[key] for key in _ENDS if key in c.params}),
    "regex": _regex,
    "uniqueness": lambda c: ("duplicate", {"columns": list(c.columns)} if len(c.columns) > 1 else {}),
    "row_count": lambda _: ("row_count", {}),
    "freshness": lambda c: ("freshness", {"column": c.columns[0]}),
    "aggregate": lambda c: (
        ("aggregate", {"function": c.params["function"]}) if c.params["function"] in _FUNCTIONS else None
    ),
    "condition": _condition,
    "failed_rows": lambda c: _query(c, "failed_rows"),
    "sql": lambda c: _query(c, "metric"),
    "reference": lambda c: (
        "invalid", {"valid_reference_data": {"dataset": c.params["table"], "column": c.params["to"][0]}}
    ),
}  # fmt: skip
