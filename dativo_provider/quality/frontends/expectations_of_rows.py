"""Expectations about single rows. A row that GX ignores (a NULL, as a rule) is no part of the share that must fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

from dativo_provider.quality.frontends.base import Draft, refuse
from dativo_provider.quality.frontends.expectation import Expectation, Unmapped
from dativo_provider.quality.frontends.sqltext import all_of, any_of, literal, literals, text
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.sql.names import quoted

__all__ = ["EXPECTATIONS"]

Made = Iterator[Draft]


def _not_null(e: Expectation) -> Made:
    yield Draft("required", (e.column(),), label="not_null")


def _null(e: Expectation) -> Made:
    yield Draft("condition", (e.column(),), {"expression": f"{e.sql()} IS NULL"}, label="null")


def _of_values(e: Expectation, kind: Any, params: dict[str, Any], label: str = "") -> Draft:
    return Draft(kind, (e.column(),), params, denominator="non_null", label=label)


def _judged(e: Expectation, expression: str, label: str) -> Draft:
    present = {"where": f"{e.sql()} IS NOT NULL"}
    return Draft("condition", (e.column(),), {"expression": expression}, label=label, said=present)


def _in_set(e: Expectation) -> Made:
    yield _of_values(e, "enum", {"values": e.listed("value_set")})


def _not_in_set(e: Expectation) -> Made:
    yield _of_values(e, "enum", {"values": e.listed("value_set"), "negate": True}, "not_in_set")


def _between(e: Expectation) -> Made:
    low = "exclusive_min" if e.kwargs.get("strict_min") else "min"
    high = "exclusive_max" if e.kwargs.get("strict_max") else "max"
    ends = {low: e.kwargs.get("min_value"), high: e.kwargs.get("max_value")}
    yield _of_values(e, "range", _some_end(e, ends))


def _lengths(e: Expectation) -> Made:
    least, most = e.kwargs.get("min_value"), e.kwargs.get("max_value")
    if least is not None and e.kwargs.get("strict_min"):
        least += 1
    if most is not None and e.kwargs.get("strict_max"):
        most -= 1
    yield _of_values(e, "length", _some_end(e, {"min": least, "max": most}))


def _length(e: Expectation) -> Made:
    yield _of_values(e, "length", {"min": e.kwargs.get("value"), "max": e.kwargs.get("value")})


def _some_end(e: Expectation, ends: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in ends.items() if value is not None}
    if not given:
        refuse(e.rule, "it names no bound", "add min_value, max_value or both")
    return given


def _regex(e: Expectation, negate: bool = False) -> Made:
    yield _of_values(e, "regex", {"pattern": e.text("regex"), **({"negate": True} if negate else {})})


def _regexes(e: Expectation) -> Made:
    """`match_on: any` (the default) or `all`."""
    patterns = [str(each) for each in e.listed("regex_list")]
    if e.kwargs.get("match_on", "any") == "any":
        yield _of_values(e, "regex", {"pattern": _either(patterns)}, "regex_list")
    else:
        matches = [f"regexp_matches({e.sql()}, {text(pattern)})" for pattern in patterns]
        yield _judged(e, all_of(matches), "regex_list")


def _no_regexes(e: Expectation) -> Made:
    patterns = [str(each) for each in e.listed("regex_list")]
    yield _of_values(e, "regex", {"pattern": _either(patterns), "negate": True}, "not_regex_list")


def _either(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _like(e: Expectation, word: str = "LIKE") -> Made:
    yield _judged(e, f"{e.sql()} {word} {text(e.text('like_pattern'))}", word.lower().replace(" ", "_"))


def _likes(e: Expectation) -> Made:
    matches = [f"{e.sql()} LIKE {text(str(each))}" for each in e.listed("like_pattern_list")]
    joined = any_of(matches) if e.kwargs.get("match_on", "any") == "any" else all_of(matches)
    yield _judged(e, joined, "like_list")


def _no_likes(e: Expectation) -> Made:
    matches = [f"{e.sql()} NOT LIKE {text(str(each))}" for each in e.listed("like_pattern_list")]
    yield _judged(e, all_of(matches), "not_like_list")


def _date_format(e: Expectation) -> Made:
    known = f"try_strptime({e.sql()}, {text(e.text('strftime_format'))}) IS NOT NULL"
    yield _judged(e, known, "strftime_format")


def _z_scores(e: Expectation) -> Made:
    """One number over the rows, as mean and deviation are those of all of them."""
    column, limit = e.sql(), e.kwargs.get("threshold")
    if not isinstance(limit, int | float) or e.kwargs.get("row_condition"):
        raise Unmapped
    score = "(v - avg(v) OVER ()) / nullif(stddev_samp(v) OVER (), 0)"
    fits = f"abs(z) < {abs(limit)}" if e.kwargs.get("double_sided") else f"z < {limit}"
    inner = f"SELECT {score} AS z FROM (SELECT {column}::DOUBLE AS v FROM {{object}} WHERE {column} IS NOT NULL)"
    query = f"SELECT coalesce(100.0 * count(*) FILTER (WHERE NOT ({fits})) / nullif(count(*), 0), 0) FROM ({inner})"
    yield _share(e, query, (e.column(),), "z_score")


def _share(e: Expectation, query: str, columns: tuple[str, ...], label: str) -> Draft:
    """A query that yields the percentage of wrong rows, which `mostly` limits."""
    allowed = Threshold("mustBeLessOrEqualTo", round(100 * (1 - e.mostly), 10))
    return Draft("sql", columns, {"query": query}, allowed, label=label, said={"tolerance": 0})


def _unique(e: Expectation) -> Made:
    """GX counts every row of a key that repeats, which shows only where some may."""
    column = e.column()
    if e.mostly == 1 and not e.kwargs.get("row_condition"):
        yield Draft("uniqueness", (column,), label="unique")
    else:
        yield _share(e, _repeated((column,), f"{quoted(column)} IS NOT NULL"), (column,), "unique")


def _compound_unique(e: Expectation) -> Made:
    """A NULL is a value of a compound key, unless every column is NULL."""
    columns = e.columns()
    whole = all(e.contract.column(name, e.rule).required for name in columns)
    if e.mostly == 1 and not e.kwargs.get("row_condition") and (whole or _ignored(e) == "any_value_is_missing"):
        yield Draft("uniqueness", columns, label="unique")
    else:
        yield _share(e, _repeated(columns, _present(e, columns) or "TRUE"), columns, "unique")


def _repeated(columns: Iterable[str], where: str) -> str:
    keys = ", ".join(quoted(name) for name in columns)
    groups = f"SELECT count(*) AS n FROM {{object}} WHERE {where} GROUP BY {keys}"
    return f"SELECT coalesce(100.0 * sum(n) FILTER (WHERE n > 1) / sum(n), 0) FROM ({groups})"


def _ignored(e: Expectation, default: str = "all_values_are_missing") -> str:
    return str(e.kwargs.get("ignore_row_if", default))


def _present(e: Expectation, columns: Iterable[str], default: str = "all_values_are_missing") -> str:
    """Which rows count, by `ignore_row_if`."""
    absent = [f"{quoted(name)} IS NULL" for name in columns]
    word = _ignored(e, default)
    if word in ("all_values_are_missing", "both_values_are_missing"):
        return f"NOT ({all_of(absent)})"
    if word in ("any_value_is_missing", "either_value_is_missing"):
        return f"NOT ({any_of(absent)})"
    if word != "never":
        refuse(e.rule, f"ignore_row_if: '{word}' is unknown")
    return ""


def _of_record(e: Expectation, columns: tuple[str, ...], expression: str, label: str, pair: bool = False) -> Draft:
    default = "both_values_are_missing" if pair else "all_values_are_missing"
    where = _present(e, columns, default)
    return Draft("condition", columns, {"expression": expression}, label=label, said={"where": where} if where else {})


def _pair(e: Expectation) -> tuple[str, str, tuple[str, str]]:
    first, second = e.column("column_A"), e.column("column_B")
    return quoted(first), quoted(second), (first, second)


def _a_greater(e: Expectation) -> Made:
    a, b, columns = _pair(e)
    or_equal = bool(e.kwargs.get("or_equal"))
    expression = f"{a} >= {b} OR ({a} IS NULL AND {b} IS NULL)" if or_equal else f"{a} > {b}"
    yield _of_record(e, columns, expression, "a_greater_than_b", pair=True)


def _pair_equal(e: Expectation) -> Made:
    a, b, columns = _pair(e)
    yield _of_record(e, columns, f"{a} = {b} AND {a} IS NOT NULL AND {b} IS NOT NULL", "pair_equal", pair=True)


def _pair_in_set(e: Expectation) -> Made:
    a, b, columns = _pair(e)
    pairs = e.listed("value_pairs_set")
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        refuse(e.rule, "value_pairs_set must be a list of pairs", "write [[A, B], [C, D]]")
    expression = any_of(f"{a} = {literal(x)} AND {b} = {literal(y)}" for x, y in pairs)
    yield _of_record(e, columns, expression, "pair_in_set", pair=True)


def _sum_equal(e: Expectation) -> Made:
    columns, total = e.columns(), e.kwargs.get("sum_total")
    if not isinstance(total, int | float):
        refuse(e.rule, f"sum_total: {total!r} is no number")
    yield _of_record(e, columns, f"{' + '.join(map(quoted, columns))} = {literals([total])}", "sum")


def _all_differ(e: Expectation) -> Made:
    columns = e.columns()
    pairs = [f"{quoted(a)} IS DISTINCT FROM {quoted(b)}" for a, b in combinations(columns, 2)]
    yield _of_record(e, columns, all_of(pairs), "unique_within_record")


def _all_equal(e: Expectation) -> Made:
    first, *others = columns = e.columns()
    pairs = [f"{quoted(first)} IS NOT DISTINCT FROM {quoted(other)}" for other in others]
    yield _of_record(e, columns, all_of(pairs), "equal_within_record")


EXPECTATIONS: dict[str, Callable[[Expectation], Made]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": _length,
    "expect_column_values_to_match_regex": _regex,
    "expect_column_values_to_not_match_regex": lambda e: _regex(e, negate=True),
    "expect_column_values_to_match_regex_list": _regexes,
    "expect_column_values_to_not_match_regex_list": _no_regexes,
    "expect_column_values_to_match_like_pattern": _like,
    "expect_column_values_to_not_match_like_pattern": lambda e: _like(e, "NOT LIKE"),
    "expect_column_values_to_match_like_pattern_list": _likes,
    "expect_column_values_to_not_match_like_pattern_list": _no_likes,
    "expect_column_values_to_match_strftime_format": _date_format,
    "expect_column_value_z_scores_to_be_less_than": _z_scores,
    "expect_compound_columns_to_be_unique": _compound_unique,
    "expect_multicolumn_values_to_be_unique": _all_differ,
    "expect_select_column_values_to_be_unique_within_record": _all_differ,
    "expect_multicolumn_values_to_be_equal": _all_equal,
    "expect_multicolumn_sum_to_equal": _sum_equal,
    "expect_column_pair_values_a_to_be_greater_than_b": _a_greater,
    "expect_column_pair_values_to_be_equal": _pair_equal,
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
}
