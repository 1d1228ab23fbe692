"""Aggregates over one column, in DuckDB's SQL, by the word its metrics are called by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Field
from dativo_provider.sql.names import quoted

__all__ = ["METRICS", "NUMERIC", "kind_of", "metric_sql", "number", "of_column", "text_of"]

NUMERIC = frozenset({"int", "long", "float", "double", "decimal"})
_TIMES = frozenset({"date", "time", "timestamp", "timestamptz"})
_TEXTS = frozenset({"string", "uuid"})
_CUT = 64  # characters of a value that are told
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_TOP = 10

Term = Callable[[Field], str]


def kind_of(column: Field) -> str:
    """`decimal(10,2)` → `decimal`."""
    return re.split(r"[(<]", column.type, maxsplit=1)[0]


def number(column: Field) -> str:
    """The column's finite values as DOUBLE: one infinite value would make every mean infinite."""
    value = f"{quoted(column.name)}::DOUBLE"
    return f"CASE WHEN isfinite({value}) THEN {value} END" if kind_of(column) in ("float", "double") else value


def text_of(column: Field) -> str:
    return f"left({quoted(column.name)}::VARCHAR, {_CUT})"


def _finite(column: Field) -> str:
    name = quoted(column.name)
    if kind_of(column) in _TEXTS:
        return f"left({name}::VARCHAR, {_CUT})"
    return f"CASE WHEN isfinite({name}) THEN {name} END" if kind_of(column) in ("float", "double") else name


_ANY: Mapping[str, Term] = {
    "present": lambda column: f"count({quoted(column.name)})",
    "distinct": lambda column: f"approx_count_distinct({quoted(column.name)})",
}
_ORDERED: Mapping[str, Term] = {
    "min": lambda column: f"min({_finite(column)})",
    "max": lambda column: f"max({_finite(column)})",
}
_NUMBERS: Mapping[str, Term] = {
    "mean": lambda column: f"avg({number(column)})",
    "stddev": lambda column: f"stddev_samp({number(column)})",
    "sum": lambda column: f"sum({number(column)})",
    "quantiles": lambda column: f"approx_quantile({number(column)}, {list(QUANTILES)})",
}
_LENGTHS: Mapping[str, Term] = {
    "min_length": lambda column: f"min(length({quoted(column.name)}))",
    "max_length": lambda column: f"max(length({quoted(column.name)}))",
}
_FREQUENT: Mapping[str, Term] = {"top": lambda column: f"approx_top_k({text_of(column)}, {_TOP})"}
_FLOATS: Mapping[str, Term] = {
    "not_finite": lambda column: f"count_if(NOT isfinite({quoted(column.name)}))",
}


def of_column(column: Field, *, personal: bool = False) -> dict[str, str]:
    """What a profile asks of `column`: word → SQL. Of a personal column nothing that shows a value."""
    kind = kind_of(column)
    if kind in ("list", "map", "struct", "binary"):
        return {"present": _ANY["present"](column)}
    terms = dict(_ANY)
    if not personal:
        terms |= _ORDERED if kind in NUMERIC | _TIMES | _TEXTS else {}
        terms |= _NUMBERS if kind in NUMERIC else {}
        terms |= _LENGTHS if kind in _TEXTS else {}
        terms |= _FLOATS if kind in ("float", "double") else {}
        terms |= _FREQUENT if kind in _TEXTS | {"boolean"} else {}
    return {word: term(column) for word, term in terms.items()}


# One number of a column by its word; `{c}` is the column, `{x}` its finite values, `{f}` the filter of rows that count.
METRICS: Mapping[str, str] = {
    "null_share": "(count(*){f} - count({c}){f}) / nullif(count(*){f}, 0)",
    "distinct": "approx_count_distinct({c}){f}",
    "min": "min({x}){f}",
    "max": "max({x}){f}",
    "mean": "avg({x}){f}",
    "stddev": "stddev_samp({x}){f}",
    "sum": "sum({x}){f}",
    "min_length": "min(length({c})){f}",
    "max_length": "max(length({c})){f}",
}
_OF_NUMBERS = frozenset({"min", "max", "mean", "stddev", "sum"})
_OF_TEXTS = frozenset({"min_length", "max_length"})


def metric_sql(word: str, column: Field, condition: str = "") -> str:
    """SQL of `word` over `column`. Raises `ConfigurationError` for a word that is none, or does not fit the type."""
    fits = NUMERIC if word in _OF_NUMBERS else _TEXTS if word in _OF_TEXTS else None
    if word not in METRICS or (fits and kind_of(column) not in fits):
        raise ConfigurationError(
            f"there is no metric {word}({column.name}) of a column of type {column.type}",
            remedy=f"use one of {', '.join(METRICS)}; means and sums are of numbers, lengths of texts",
        )
    kept = f" FILTER (WHERE {condition})" if condition else ""
    return METRICS[word].format(c=quoted(column.name), x=number(column), f=kept)
