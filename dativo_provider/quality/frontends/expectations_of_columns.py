"""Expectations about a column as a whole: aggregates, quantiles, its set of values, its distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from dativo_provider.quality.frontends.base import Draft, refuse
from dativo_provider.quality.frontends.expectation import Expectation, Unmapped, bounded
from dativo_provider.quality.frontends.sqltext import literals, text
from dativo_provider.quality.frontends.thresholds import Threshold

__all__ = ["EXPECTATIONS"]

Made = Iterator[Draft]
Leaf = Callable[[Expectation], Made]
NUMBERS = ("", "int", "long", "float", "double", "decimal")
NONE = Threshold("mustBe", 0)


def _aggregate(function: str) -> Leaf:
    def made(e: Expectation) -> Made:
        column = e.column()
        if e.type_of(column) in NUMBERS and not _moments(e):
            yield from bounded(Draft("aggregate", (column,), {"function": function}, label=function), e.kwargs)
        else:
            yield _extreme(e, column, function)

    return made


def _moments(e: Expectation) -> bool:
    return any(isinstance(e.kwargs.get(key), str | date) for key in ("min_value", "max_value"))


def _extreme(e: Expectation, column: str, function: str) -> Draft:
    """The least or greatest of values that are no numbers, between two ends: a query that yields 1 when it is."""
    if function not in ("min", "max"):
        raise Unmapped
    value, ends = f"{function}({e.sql()})", []
    for key, sign, strict in (("min_value", ">", "strict_min"), ("max_value", "<", "strict_max")):
        if (end := e.kwargs.get(key)) is not None:
            ends.append(f"{value} {sign}{'' if e.kwargs.get(strict) else '='} {text(str(end))}")
    if not ends:
        raise Unmapped
    query = f"SELECT coalesce({' AND '.join(ends)}, FALSE)::INTEGER FROM {{object}}"
    return Draft("sql", (column,), {"query": query}, Threshold("mustBe", 1), label=function)


def _distinct(e: Expectation) -> Made:
    yield from bounded(Draft("aggregate", (e.column(),), {"function": "distinct_count"}, label="distinct"), e.kwargs)


def _unique_share(e: Expectation) -> Made:
    """Different values among those that are not NULL."""
    yield from bounded(Draft("aggregate", (e.column(),), {"function": "distinct_share"}), e.kwargs)


def _present_share(e: Expectation) -> Made:
    query = f"SELECT count({e.sql()}) / nullif(count(*), 0) FROM {{object}}"
    yield from bounded(Draft("sql", (e.column(),), {"query": query}, label="non_null_share"), e.kwargs)


def _quantiles(e: Expectation) -> Made:
    """`quantile_ranges: {quantiles: [0.5], value_ranges: [[1, 9]]}`: one check for each, of a value that occurs."""
    given = e.kwargs.get("quantile_ranges") or {}
    shares, ranges = given.get("quantiles") or [], given.get("value_ranges") or []
    if not shares or len(shares) != len(ranges):
        refuse(e.rule, "quantile_ranges wants as many value_ranges as quantiles")
    if e.kwargs.get("allow_relative_error"):
        raise Unmapped
    for share, (low, high) in zip(shares, ranges, strict=True):
        query = f"SELECT quantile_disc({e.sql()}, {share}) FROM {{object}}"
        draft = Draft("sql", (e.column(),), {"query": query}, label=f"quantile_{round(100 * share)}")
        yield from bounded(draft, {"min_value": low, "max_value": high})


def _outside_set(e: Expectation) -> Made:
    """Values of the column that the set lacks."""
    members = literals(e.listed("value_set"))
    query = f"SELECT count(DISTINCT {e.sql()}) FROM {{object}} WHERE {e.sql()} NOT IN ({members})"
    yield Draft("sql", (e.column(),), {"query": query}, NONE, label="distinct_in_set")


def _lacking_of_set(e: Expectation) -> Made:
    """Values of the set that the column lacks."""
    values = [value for value in e.listed("value_set") if value is not None]
    yield Draft("aggregate", (e.column(),), {"function": "contains", "values": values}, NONE, label="contains_set")


def _equal_set(e: Expectation) -> Made:
    yield from _outside_set(e)
    yield from _lacking_of_set(e)


def _most_common(e: Expectation) -> Made:
    """With `ties_okay` one of the most frequent values is in the set, else the only one is."""
    column, members = e.sql(), literals(e.listed("value_set"))
    counts = f"SELECT {column} AS v, count(*) AS n FROM {{object}} WHERE {column} IS NOT NULL GROUP BY 1"
    best = f"SELECT v FROM ({counts}) QUALIFY n = max(n) OVER ()"
    hits = f"count(*) FILTER (WHERE v IN ({members}))"
    fits = f"{hits} > 0" if e.kwargs.get("ties_okay") else f"{hits} = 1 AND count(*) = 1"
    query = f"SELECT ({fits})::INTEGER FROM ({best})"
    yield Draft("sql", (e.column(),), {"query": query}, Threshold("mustBe", 1), label="most_common")


def _divergence(e: Expectation) -> Made:
    """`partition_object: {values, weights}`, or `{bins, weights}` without tails."""
    expected, limit = e.kwargs.get("partition_object"), e.kwargs.get("threshold")
    if not isinstance(expected, dict) or not isinstance(limit, int | float) or "tail_weights" in expected:
        raise Unmapped
    if any(key in e.kwargs for key in ("tail_weight_holdout", "internal_weight_holdout", "bucketize_data")):
        raise Unmapped
    yield Draft("distribution", (e.column(),), {**_partition(e, expected), "measure": "kl", "max": limit}, label="kl")


def _partition(e: Expectation, expected: dict[str, Any]) -> dict[str, Any]:
    weights = expected.get("weights") or []
    if "values" in expected:
        values = expected["values"]
        if len(values) != len(weights):
            refuse(e.rule, "partition_object wants as many weights as values")
        return {"shares": {str(value): weight for value, weight in zip(values, weights, strict=True)}}
    raise Unmapped


def _of_type(e: Expectation) -> Made:
    yield _type_check(e, [e.text("type_")])


def _in_type_list(e: Expectation) -> Made:
    yield _type_check(e, [str(each) for each in e.listed("type_list")])


def _type_check(e: Expectation, names: list[str]) -> Draft:
    """Names of SQL and of pandas; of several, the one that is the column's own type decides."""
    known = [_TYPES[name] for name in (each.split("(")[0].strip().upper() for each in names) if name in _TYPES]
    if len(known) != len(names):
        raise Unmapped
    column = e.column()
    own = e.type_of(column)
    chosen = own if own in known else known[0]
    params = {"names": [column], "types": {column: chosen}, "order": False, "others": True}
    return Draft("schema", (column,), params, label="of_type")


def _exists(e: Expectation) -> Made:
    if "column_index" in e.kwargs:
        raise Unmapped
    name = e.text("column")
    yield Draft("schema", (), {"names": [name], "order": False, "others": True}, label=f"{name}_exists")


_TYPES = {
    "BIGINT": "long", "INT64": "long", "LONG": "long", "INTEGER": "int", "INT": "int", "INT32": "int",
    "DOUBLE": "double", "DOUBLE_PRECISION": "double", "FLOAT64": "double", "FLOAT": "float", "REAL": "float",
    "FLOAT32": "float", "VARCHAR": "string", "TEXT": "string", "STRING": "string", "STR": "string",
    "OBJECT": "string", "BOOLEAN": "boolean", "BOOL": "boolean", "DATE": "date", "TIME": "time",
    "TIMESTAMP": "timestamp", "DATETIME": "timestamp", "TIMESTAMPTZ": "timestamptz", "UUID": "uuid",
}  # fmt: skip

EXPECTATIONS: dict[str, Leaf] = {
    "expect_column_mean_to_be_between": _aggregate("avg"),
    "expect_column_median_to_be_between": _aggregate("median"),
    "expect_column_stdev_to_be_between": _aggregate("stddev"),
    "expect_column_sum_to_be_between": _aggregate("sum"),
    "expect_column_min_to_be_between": _aggregate("min"),
    "expect_column_max_to_be_between": _aggregate("max"),
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_unique_value_count_to_be_between": _distinct,
    "expect_column_proportion_of_unique_values_to_be_between": _unique_share,
    "expect_column_proportion_of_non_null_values_to_be_between": _present_share,
    "expect_column_distinct_values_to_be_in_set": _outside_set,
    "expect_column_distinct_values_to_contain_set": _lacking_of_set,
    "expect_column_distinct_values_to_equal_set": _equal_set,
    "expect_column_most_common_value_to_be_in_set": _most_common,
    "expect_column_kl_divergence_to_be_less_than": _divergence,
    "expect_column_values_to_be_of_type": _of_type,
    "expect_column_values_to_be_in_type_list": _in_type_list,
    "expect_column_type_to_be": _of_type,
    "expect_column_to_exist": _exists,
}
