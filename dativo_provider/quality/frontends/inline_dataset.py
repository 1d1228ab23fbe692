"""The short form's checks of SQL, and of a run as a whole: numbers, shares, references, columns, history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from dativo_provider.model.checks import Rule
from dativo_provider.model.types import check_type
from dativo_provider.quality.frontends.base import Contract, Draft, columns_of, only_number, refuse
from dativo_provider.quality.frontends.words import BOUNDS, allowed, mapping, named, needed, one_of, some, text
from dativo_provider.vocabulary import Aggregate, Distance

__all__ = ["TYPES"]

_NUMBERS = frozenset("int long float double decimal".split())
_ORDERED = _NUMBERS | frozenset("date time timestamp timestamptz string uuid boolean".split())
_ARITHMETIC = frozenset("avg sum median quantile stddev stddev_pop variance var_pop".split())
_LENGTHS = frozenset("min_length max_length avg_length".split())


def _condition(rule: Rule, contract: Contract) -> Iterator[Draft]:
    expression = text(rule, "expression", "amount >= discount")
    named = columns_of(expression, "expression", rule, contract)
    yield Draft("condition", named, {"expression": expression}, label="condition")


def _aggregate(rule: Rule, contract: Contract) -> Iterator[Draft]:
    function = one_of(rule, "function", get_args(Aggregate), "")
    params: dict[str, Any] = {"function": function}
    if function == "quantile":
        params["argument"] = _share(rule, "argument")
    values = rule.body.get("values")
    if function in ("most_common", "contains"):
        if not isinstance(values, list) or not values:
            refuse(rule, f"{function} needs a list of values", "add values: [A, B]")
        params["values"] = values
    bound = None if function in ("most_common", "contains") else needed(rule, texts=function in ("min", "max"))
    for column in some(rule, contract):
        _fits(rule, contract, column, function)
        yield Draft("aggregate", (column,), params, allowed=bound, label=function)


def _fits(rule: Rule, contract: Contract, column: str, function: str) -> None:
    kind = contract.column(column, rule).type.partition("(")[0].partition("<")[0]
    wanted = _NUMBERS if function in _ARITHMETIC else frozenset({"string", "uuid"}) if function in _LENGTHS else None
    if function in ("min", "max"):
        wanted = _ORDERED
    if kind and wanted and kind not in wanted:
        refuse(rule, f"the {function} of '{column}', which is {kind}, is not defined")


def _share(rule: Rule, key: str) -> float:
    value = rule.body.get(key)
    if not only_number(value) or not 0 <= value <= 1:
        refuse(rule, f"{key}: {value!r} is no share", "write a number from 0 to 1, such as 0.95")
    return float(value)


def _sql(rule: Rule, contract: Contract) -> Iterator[Draft]:
    query = text(rule, "query", "SELECT count(*) FROM {table} WHERE …")
    yield Draft("sql", named(rule, contract), {"query": query}, allowed=needed(rule))


def _failed_rows(rule: Rule, contract: Contract) -> Iterator[Draft]:
    query = text(rule, "query", "SELECT * FROM {table} WHERE …")
    yield Draft("failed_rows", named(rule, contract), {"query": query}, allowed=allowed(rule))


def _reference(rule: Rule, contract: Contract) -> Iterator[Draft]:
    found = some(rule, contract)
    to = rule.body.get("to") or list(found)
    to = to if isinstance(to, list) else [to]
    if len(to) != len(found):
        refuse(rule, f"{len(found)} columns cannot refer to {len(to)}", "name as many in `to` as there are columns")
    params = {"table": text(rule, "table", "customers"), "to": [str(name) for name in to]}
    yield Draft("reference", found, params, allowed=allowed(rule))


def _distribution(rule: Rule, contract: Contract) -> Iterator[Draft]:
    found, shares, edges = some(rule, contract), rule.body.get("shares"), rule.body.get("edges")
    if edges is not None and (not isinstance(edges, list) or edges != sorted(edges) or not edges):
        refuse(rule, "edges must be a list in ascending order", "write edges: [10, 100]")
    binned = edges is not None and isinstance(shares, list) and len(shares) == len(edges) + 1
    if not (binned or (edges is None and isinstance(shares, dict) and shares)):
        refuse(rule, "shares must be a share by value, or one for each bin that edges part", "write shares: {A: 0.5}")
    listed = list(shares) if isinstance(shares, list) else list(shares.values()) if isinstance(shares, dict) else []
    if not all(only_number(share) and 0 <= share <= 1 for share in listed) or sum(listed) > 1 + 1e-9:
        refuse(rule, "shares must be numbers from 0 to 1 that come to 1 at most")
    measure = one_of(rule, "measure", get_args(Distance), "max_deviation")
    params = {"shares": _keyed(shares), "measure": measure, "max": _most(rule)}
    yield Draft("distribution", found, {**params, **({"edges": edges} if edges else {})})


def _keyed(shares: Any) -> Any:
    """JSON has no other keys than text, which DuckDB gives the column's type."""
    return {str(value): share for value, share in shares.items()} if isinstance(shares, dict) else shares


def _most(rule: Rule) -> float:
    value = rule.body.get("max")
    if not only_number(value) or value < 0:
        refuse(rule, "a distribution check needs max", "add max: 0.1")
    return float(value)


def _schema(rule: Rule, _: Contract) -> Iterator[Draft]:
    types, names = mapping(rule, "types"), rule.body.get("names") or []
    bound = allowed(rule)
    if not (names or types or bound):
        refuse(rule, "a schema check needs names, types, min or max", "add names: [id, amount]")
    params = {
        "names": [str(name) for name in names],
        "types": {str(name): check_type(str(kind)) for name, kind in types.items()},
        "order": bool(rule.body.get("order")),
        "others": rule.body.get("others") is not False,
    }
    yield Draft("schema", (), params, allowed=bound)


def _change(rule: Rule, _: Contract) -> Iterator[Draft]:
    metric = str(rule.body.get("metric") or "rows_accepted")
    bound = needed(rule)
    yield Draft("change", (), {"metric": metric}, allowed=bound, label=f"{metric}.change")


_QUERY = BOUNDS | {"query"}
TYPES: Mapping[str, tuple[Any, frozenset[str]]] = {
    "condition": (_condition, frozenset({"expression"})),
    "aggregate": (_aggregate, BOUNDS | {"function", "argument", "values"}),
    "sql": (_sql, _QUERY),
    "failed_rows": (_failed_rows, _QUERY),
    "reference": (_reference, BOUNDS | {"table", "to"}),
    "foreign_key": (_reference, BOUNDS | {"table", "to"}),
    "distribution": (_distribution, frozenset({"shares", "edges", "measure", "max"})),
    "schema": (_schema, BOUNDS | {"names", "types", "order", "others"}),
    "change": (_change, BOUNDS | {"metric"}),
}
