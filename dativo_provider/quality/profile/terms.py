"""Aggregates over one column, in DuckDB's SQL, by the word its metrics are called by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dativo_provider.model.stream import Field
from dativo_provider.sql.names import quoted

__all__ = ["NUMERIC", "kind_of", "number", "of_column", "text_of"]

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
