"""`row_condition` of an expectation as SQL: the text of GX's own parser (`col("x") > 5`) and the mapping of 1.x."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract
from dativo_provider.quality.frontends.expectation import Unmapped
from dativo_provider.quality.frontends.sqltext import all_of, any_of, literal, literals
from dativo_provider.sql.names import quoted

__all__ = ["condition_sql"]

_TEXT = re.compile(
    r"""\s*col\(\s*(["'])(?P<column>.+?)\1\s*\)\s*
    (?:(?P<null>\.(?:is_null|notNull|not_null|isNull)\(\))
      |(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?))\s*$""",
    re.VERBOSE,
)
_SIGNS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def condition_sql(condition: Any, contract: Contract, rule: Rule) -> str:
    """Empty without one. Raises `Unmapped` for one in another engine's words (pandas, Spark)."""
    if condition is None:
        return ""
    if isinstance(condition, str):
        return _of_text(condition, contract, rule)
    if isinstance(condition, Mapping):
        return _of_mapping(condition, contract, rule)
    raise Unmapped


def _of_text(condition: str, contract: Contract, rule: Rule) -> str:
    match = _TEXT.match(condition)
    if match is None:
        raise Unmapped
    column = quoted(contract.column(match["column"], rule).name)
    if match["null"]:
        return f"{column} IS NOT NULL" if "not" in match["null"] else f"{column} IS NULL"
    value = match["value"]
    value = literal(value[1:-1]) if value[0] in "\"'" else value
    return f"{column} {_SIGNS[match['op']]} {value}"


def _of_mapping(condition: Mapping[str, Any], contract: Contract, rule: Rule) -> str:
    kind = condition.get("type")
    if kind in ("and", "or"):
        parts = [condition_sql(part, contract, rule) for part in condition.get("conditions") or ()]
        return all_of(parts) if kind == "and" else any_of(parts)
    name = (condition.get("column") or {}).get("name")
    if kind == "nullity":
        column = quoted(contract.column(name, rule).name)
        return f"{column} IS NULL" if condition.get("is_null") else f"{column} IS NOT NULL"
    if kind == "comparison":
        return _comparison(quoted(contract.column(name, rule).name), condition)
    raise Unmapped


def _comparison(column: str, condition: Mapping[str, Any]) -> str:
    sign, value = str(condition.get("operator")), condition.get("parameter")
    if sign in ("IN", "NOT_IN") and isinstance(value, list):
        return f"{column} {sign.replace('_', ' ')} ({literals(value)})"
    if sign not in _SIGNS or isinstance(value, dict | list):
        raise Unmapped
    return f"{column} {_SIGNS[sign]} {literal(value)}"
