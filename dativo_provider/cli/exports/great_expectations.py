"""A suite of Great Expectations 1.x. https://docs.greatexpectations.io/docs/reference/api/expectationsuite_class/"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dativo_provider.cli.exports.base import Body, Made, Text, as_json, checks_of
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.checks import CheckSpec

__all__ = ["write"]


def write(contract: ContractSource, table: TableContract) -> Text:
    expectations, left = [], []
    for check in checks_of(contract, table):
        made = _expectation(check)
        if made is None:
            left.append(check.name)
        else:
            expectations.append(made)
    meta = {"contract_version": contract.version}
    return as_json({"name": table.name, "expectations": expectations, "meta": meta}), left


def _expectation(check: CheckSpec) -> Made | None:
    if check.kind == "custom" and check.engine == "great_expectations" and "native" in check.params:
        return dict(check.params["native"])
    writer = _KINDS.get(check.kind)
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
    ends = _ENDS.get(allowed["op"])
    return None if ends is None else (word, {**base, **ends(allowed["value"])})


def _rowwise(write: Callable[[CheckSpec], Body]) -> Callable[[CheckSpec], Body]:
    """Counts of rows have no expectation unless none may fail."""
    return lambda check: None if "allowed" in check.params else write(check)


def _aggregate(check: CheckSpec) -> Body:
    word = _FUNCTIONS.get(check.params["function"])
    return _bounds(check, f"expect_column_{word}_to_be_between", _column(check)) if word else None


_ENDS: dict[str, Callable[[Any], Made]] = {
    "mustBe": lambda v: {"min_value": v, "max_value": v},
    "mustBeBetween": lambda v: {"min_value": v[0], "max_value": v[1]},
    "mustBeGreaterThan": lambda v: {"min_value": v, "strict_min": True},
    "mustBeGreaterOrEqualTo": lambda v: {"min_value": v},
    "mustBeLessThan": lambda v: {"max_value": v, "strict_max": True},
    "mustBeLessOrEqualTo": lambda v: {"max_value": v},
}
_FUNCTIONS = {
    "avg": "mean", "median": "median", "stddev": "stdev", "sum": "sum", "min": "min", "max": "max",
    "distinct_count": "unique_value_count",
}  # fmt: skip
_KINDS: dict[str, Callable[[CheckSpec], Body]] = {
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
