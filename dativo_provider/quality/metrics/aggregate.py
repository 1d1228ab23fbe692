"""A number over the values of one column, held against `allowed`. NULL is no value; NaN lies outside of every bound.

Aggregates of one pass go into the one SELECT over the rows. What counts how often each value occurs has a narrow,
grouped query of its own, which spills where a part of a wide one would not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.personal import is_personal
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Measures, Scene, Values, passed
from dativo_provider.quality.metrics.query import as_json, one_pass
from dativo_provider.quality.metrics.where import filtered, read_by, those_that_count
from dativo_provider.sql.names import literal, quoted

__all__ = ["EVALUATOR"]

# {0} is the column; texts are measured in characters
_SIMPLE: Mapping[str, str] = {
    "avg": "avg({0})", "sum": "sum({0})", "min": "min({0})", "max": "max({0})", "median": "median({0})",
    "quantile": "quantile_cont({0}, {1})", "stddev": "stddev_samp({0})", "stddev_pop": "stddev_pop({0})",
    "variance": "var_samp({0})", "var_pop": "var_pop({0})", "null_count": "count_if({0} IS NULL)",
    "null_share": "avg(({0} IS NULL)::INTEGER)", "min_length": "min(length({0}))",
    "max_length": "max(length({0}))", "avg_length": "avg(length({0}))",
}  # fmt: skip
# over (value, n, k): each value, how often it occurs, and the same but NULL for NULL; of equally common values the last
_GROUPED: Mapping[str, str] = {
    "distinct_count": "count(k)", "distinct_share": "count(k) / sum(k)",
    "unique_count": "count_if(k = 1)", "unique_share": "count_if(k = 1) / sum(k)",
    "duplicate_count": "coalesce(sum(k) - count(k), 0)::BIGINT", "duplicate_share": "(sum(k) - count(k)) / sum(k)",
    "most_common": "arg_max(value, (k, value)) FILTER (WHERE k IS NOT NULL)",
    "contains": "{1} - count_if(coalesce(value IN ({0}), false))",
}  # fmt: skip

_OF_ONE_ROW = frozenset({"min", "max", "median", "quantile", "most_common"})  # their number stands in a row


def _measures(check: CheckSpec, scene: Scene) -> Measures:
    """With the number of rows that count, which percentages are of."""
    sql = _SIMPLE.get(check.params["function"])
    if not sql:
        return Measures()
    wanted = filtered(sql.format(quoted(check.columns[0]), check.params.get("argument", "")), check)
    counts = {"rows": filtered("count(*)", check), "values": filtered(f"count({quoted(check.columns[0])})", check)}
    words = {"value": check.params["function"], "rows": "rows", "values": "values"}
    facts = {} if check.where else {key: (word, check.columns[0]) for key, word in words.items()}
    return Measures(read_by(check, scene, check.columns[0]), {"value": wanted, **counts}, facts)


def _judge(check: CheckSpec, scene: Scene, values: Values) -> CheckResult:
    if not scene.rows:
        return check.result("skipped", message="there was no row to check")
    found = values or _grouped(check, scene)
    value, total = as_json(found["value"]), found["values" if check.denominator == "non_null" else "rows"] or 0
    what = f"the {check.params['function']} of {check.columns[0]}"
    if value is None:
        return check.result("not_evaluated", message=f"{what} is not known: there is no value")
    fits, bound = _held(check, value, int(total))
    told = value if _may_be_told(check, scene, value) else None
    shown = "" if told is None else f" is {told}"
    return check.result(passed(fits), "scan", scene.rows, 0, told, f"{what}{shown}, must be {bound}")


def _may_be_told(check: CheckSpec, scene: Scene, value: Any) -> bool:
    """Results are stored, exported and mailed: a text, a date or one value of a personal column is somebody's."""
    if not isinstance(value, (int, float)):
        return False
    personal = any(each.name == check.columns[0] and is_personal(each.classification) for each in scene.fields)
    return not personal or check.params["function"] not in _OF_ONE_ROW


def _grouped(check: CheckSpec, scene: Scene) -> Values:
    listed = [literal(value) for value in check.params.get("values") or ()]
    wanted = _GROUPED[check.params["function"]].format(", ".join(listed), len(set(listed)))
    column = quoted(check.columns[0])
    each = f"SELECT {column} AS value, count(*) AS n FROM staged {those_that_count(check)} GROUP BY ALL"
    known = f"SELECT value, n, CASE WHEN value IS NOT NULL THEN n END AS k FROM ({each})"
    sums = "coalesce(sum(n), 0)::BIGINT AS rows, coalesce(sum(k), 0)::BIGINT AS values"
    return one_pass(scene, read_by(check, scene, check.columns[0]), f"SELECT {wanted} AS value, {sums} FROM ({known})")


def _held(check: CheckSpec, value: Any, total: int) -> tuple[bool, str]:
    if check.params["function"] == "most_common":
        values = check.params["values"]
        return str(value) in map(str, values), f"one of {', '.join(map(str, values))}"
    allowed = Threshold.from_dict(check.params["allowed"]) if "allowed" in check.params else Threshold("mustBe", 0)
    if isinstance(value, float) and math.isnan(value):
        return False, str(allowed)
    if allowed.unit == "percent" and check.params["function"].endswith("_share"):
        return replace(allowed, unit="rows").holds(value * 100, total), str(allowed)
    try:
        return allowed.holds(value, total), str(allowed)
    except TypeError:
        raise ConfigurationError(
            f"the {check.params['function']} of {check.columns[0]} cannot be compared with {allowed.value!r}",
            where=check.declared_in,
        ) from None


EVALUATOR = Evaluator(_judge, _measures)
