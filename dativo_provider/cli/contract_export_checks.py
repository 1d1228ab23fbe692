"""Compiled checks in the words of Soda 4 and Great Expectations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.frontends.soda_thresholds import OPERATORS

__all__ = ["soda", "suite"]

Made = dict[str, Any]
_SODA_WORDS = {theirs: ours for ours, theirs in OPERATORS.items() if ours != "must_not_be_between"}


def _checks(contract: ContractSource, table: TableContract) -> list[CheckSpec]:
    from dativo_provider.quality.frontends.compile import compile_rules

    found = compile_rules((*table.rules, *contract.rules), table.fields)
    return [check for check in found if check.kind not in ("type", "text")]


def soda(contract: ContractSource, table: TableContract) -> tuple[Made, list[str]]:
    """A Soda 4 contract, and the names of checks it has no words for."""
    columns: dict[str, list[Made]] = {field.name: [] for field in table.fields}
    top: list[Made] = []
    left = []
    for check in _checks(contract, table):
        made = _soda_check(check, table.name)
        if made is None:
            left.append(check.name)
        elif len(check.columns) == 1 and check.kind not in ("freshness", "condition", "failed_rows"):
            columns[check.columns[0]].append(made)
        else:
            top.append(made)
    listed = [{"name": name, **({"checks": checks} if checks else {})} for name, checks in columns.items()]
    return {"dataset": f"data_source/schema/{table.name}", "columns": listed, "checks": top}, left


def _soda_check(check: CheckSpec, table: str) -> Made | None:
    if check.kind == "custom" and check.engine == "soda" and "native" in check.params:
        native = check.params["native"]
        return dict((native.get("checks") or native["columns"][0]["checks"])[0])
    writer = _SODA.get(check.kind)
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
    return {**({"metric": "percent"} if allowed["unit"] == "percent" else {}), _SODA_WORDS[op]: value}


Body = tuple[str, Made] | None


def _soda_range(check: CheckSpec) -> Body:
    p = check.params
    if p.keys() & {"exclusive_min", "exclusive_max"} or not all(isinstance(p.get(k, 0), int | float) for k in _ENDS):
        return None
    return "invalid", {f"valid_{key}": p[key] for key in _ENDS if key in p}


def _soda_regex(check: CheckSpec) -> Body:
    key = "invalid_format" if check.params.get("negate") else "valid_format"
    return "invalid", {key: {"regex": check.params["pattern"], "name": check.name}}


def _soda_condition(check: CheckSpec) -> Body:
    return "failed_rows", {"expression": f"NOT ({check.params['expression']})"}


def _query(check: CheckSpec, word: str) -> Body:
    """Soda calls the rows by the name of their table."""
    return word, {"query": str(check.params["query"])}


_ENDS = ("min", "max")
_FUNCTIONS: tuple[str, ...] = ("avg", "sum", "min", "max", "min_length", "max_length", "avg_length")
_SODA: dict[str, Callable[[CheckSpec], Body]] = {
    "required": lambda c: ("missing", {"missing_values": c.params["missing"]} if c.params.get("missing") else {}),
    "enum": lambda c: (
        "invalid", {"invalid_values" if c.params.get("negate") else "valid_values": list(c.params["values"])}
    ),
    "range": _soda_range,
    "length": lambda c: ("invalid", {f"valid_{key}_length": c.params[key] for key in _ENDS if key in c.params}),
    "regex": _soda_regex,
    "uniqueness": lambda c: ("duplicate", {"columns": list(c.columns)} if len(c.columns) > 1 else {}),
    "row_count": lambda _: ("row_count", {}),
    "freshness": lambda c: ("freshness", {"column": c.columns[0]}),
    "aggregate": lambda c: (
        ("aggregate", {"function": c.params["function"]}) if c.params["function"] in _FUNCTIONS else None
    ),
    "condition": _soda_condition,
    "failed_rows": lambda c: _query(c, "failed_rows"),
    "sql": lambda c: _query(c, "metric"),
    "reference": lambda c: (
        "invalid", {"valid_reference_data": {"dataset": c.params["table"], "column": c.params["to"][0]}}
    ),
}  # fmt: skip


def suite(contract: ContractSource, table: TableContract) -> tuple[Made, list[str]]:
    """A suite of Great Expectations 1.x, and the names of checks it has no words for."""
    expectations, left = [], []
    for check in _checks(contract, table):
        made = _expectation(check)
        if made is None:
            left.append(check.name)
        else:
            expectations.append(made)
    return {"name": table.name, "expectations": expectations, "meta": {"contract_version": contract.version}}, left


def _expectation(check: CheckSpec) -> Made | None:
    if check.kind == "custom" and check.engine == "great_expectations" and "native" in check.params:
        return dict(check.params["native"])
    writer = _GX.get(check.kind)
    body = writer(check) if writer and not check.where else None
    if body is None:
        return None
    word, kwargs = body
    if check.tolerance:
        kwargs["mostly"] = round(1 - check.tolerance, 12)
    severity = {"error": "critical", "warning": "warning", "info": "info"}[check.severity]
    return {"type": word, "kwargs": kwargs, "severity": severity, "meta": {"name": check.name}}


def _column(check: CheckSpec, **more: Any) -> Made:
    return {"column": check.columns[0], **more}


def _strict(check: CheckSpec, word: str) -> Body:
    p = check.params
    ends = {"min_value": p.get("min", p.get("exclusive_min")), "max_value": p.get("max", p.get("exclusive_max"))}
    strict = {"strict_min": "exclusive_min" in p, "strict_max": "exclusive_max" in p}
    given = {key: value for key, value in (*ends.items(), *strict.items()) if value not in (None, False)}
    return word, _column(check, **given)


def _bounds(check: CheckSpec, word: str, base: Made) -> Body:
    allowed = check.params.get("allowed") or {"op": "mustBe", "value": 0}
    ends = _GX_ENDS.get(allowed["op"])
    return None if ends is None else (word, {**base, **ends(allowed["value"])})


def _rowwise(write: Callable[[CheckSpec], Body]) -> Callable[[CheckSpec], Body]:
    """Counts of rows have no expectation unless none may fail."""
    return lambda check: None if "allowed" in check.params else write(check)


def _aggregate(check: CheckSpec) -> Body:
    word = _GX_FUNCTIONS.get(check.params["function"])
    return _bounds(check, f"expect_column_{word}_to_be_between", _column(check)) if word else None


_GX_ENDS: dict[str, Callable[[Any], Made]] = {
    "mustBe": lambda v: {"min_value": v, "max_value": v},
    "mustBeBetween": lambda v: {"min_value": v[0], "max_value": v[1]},
    "mustBeGreaterThan": lambda v: {"min_value": v, "strict_min": True},
    "mustBeGreaterOrEqualTo": lambda v: {"min_value": v},
    "mustBeLessThan": lambda v: {"max_value": v, "strict_max": True},
    "mustBeLessOrEqualTo": lambda v: {"max_value": v},
}
_GX_FUNCTIONS = {
    "avg": "mean", "median": "median", "stddev": "stdev", "sum": "sum", "min": "min", "max": "max",
    "distinct_count": "unique_value_count",
}  # fmt: skip
_GX: dict[str, Callable[[CheckSpec], Body]] = {
    "required": _rowwise(
        lambda c: None if c.params.get("missing") else ("expect_column_values_to_not_be_null", _column(c))
    ),
    "enum": _rowwise(
        lambda c: (
            f"expect_column_values_to_{'not_' if c.params.get('negate') else ''}be_in_set",
            _column(c, value_set=list(c.params["values"])),
        )
    ),
    "range": _rowwise(lambda c: _strict(c, "expect_column_values_to_be_between")),
    "length": _rowwise(lambda c: _strict(c, "expect_column_value_lengths_to_be_between")),
    "regex": _rowwise(
        lambda c: (
            f"expect_column_values_to_{'not_' if c.params.get('negate') else ''}match_regex",
            _column(c, regex=c.params["pattern"]),
        )
    ),
    "uniqueness": _rowwise(
        lambda c: (
            ("expect_column_values_to_be_unique", _column(c))
            if len(c.columns) == 1
            else ("expect_compound_columns_to_be_unique",
                  {"column_list": list(c.columns), "ignore_row_if": "any_value_is_missing"})
        )
    ),
    "row_count": lambda c: _bounds(c, "expect_table_row_count_to_be_between", {}),
    "aggregate": _aggregate,
    "failed_rows": lambda c: (
        "unexpected_rows_expectation", {"unexpected_rows_query": c.params["query"].replace("{object}", "{batch}")}
    ),
}  # fmt: skip
