"""What Soda 4 calls missing and invalid, as checks of rows: one kind where it can be, else one condition.

A value that is missing is not invalid. Several rules on one column must all hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Draft, only_number, refuse
from dativo_provider.quality.frontends.sqltext import all_of, any_of, literals, text
from dativo_provider.sql.names import quoted

__all__ = ["VALIDITY", "absent", "invalid", "missing"]

Body = Mapping[str, Any]
VALIDITY = frozenset(
    "missing_values missing_format invalid_values invalid_format valid_values valid_format valid_min valid_max "
    "valid_length valid_min_length valid_max_length valid_reference_data".split()
)


def missing(rule: Rule, column: str, body: Body) -> Draft:
    if body.get("missing_format"):
        return Draft("condition", (column,), {"expression": f"NOT ({absent(rule, column, body)})"}, label="missing")
    words = [value for value in _values(rule, body, "missing_values") if value is not None]
    return Draft("required", (column,), {"missing": words} if words else {}, label="missing")


def absent(rule: Rule, column: str, body: Body) -> str:
    """SQL that is true for missing values, and false for any other."""
    name, tests = quoted(column), [f"{quoted(column)} IS NULL"]
    words = [value for value in _values(rule, body, "missing_values") if value is not None]
    if words:
        tests.append(f"coalesce({name} IN ({literals(words)}), FALSE)")
    if pattern := regex_of(rule, body, "missing_format"):
        tests.append(f"coalesce(regexp_matches({name}, {text(pattern)}), FALSE)")
    return any_of(tests)


def invalid(rule: Rule, column: str, body: Body) -> Draft:
    """Raises `ConfigurationError` when nothing says what is valid."""
    rules = list(_rules(rule, column, body))
    if not rules:
        refuse(rule, "nothing says which values are valid", "add valid_values, valid_min, valid_format, …")
    if len(rules) == 1 and not (body.get("missing_values") or body.get("missing_format")):
        return rules[0][0]
    expression = f"({absent(rule, column, body)}) OR ({all_of(sql for _, sql in rules)})"
    return Draft("condition", (column,), {"expression": expression}, label="invalid")


def _rules(rule: Rule, column: str, body: Body) -> Iterator[tuple[Draft, str]]:
    """Each as a check of its own, and as SQL that is true for valid values."""
    name = quoted(column)
    if values := _values(rule, body, "valid_values"):
        yield _draft(column, "enum", {"values": values}), f"{name} IN ({literals(values)})"
    if values := _values(rule, body, "invalid_values"):
        yield _draft(column, "enum", {"values": values, "negate": True}), f"{name} NOT IN ({literals(values)})"
    if pattern := regex_of(rule, body, "valid_format"):
        yield _draft(column, "regex", {"pattern": pattern}), f"regexp_matches({name}, {text(pattern)})"
    if pattern := regex_of(rule, body, "invalid_format"):
        negated = {"pattern": pattern, "negate": True}
        yield _draft(column, "regex", negated), f"NOT regexp_matches({name}, {text(pattern)})"
    yield from _limits(rule, column, body, "range", name, {"min": "valid_min", "max": "valid_max"})
    lengths = {"min": "valid_min_length", "max": "valid_max_length"}
    yield from _limits(rule, column, body, "length", f"length({name})", lengths)
    if (length := body.get("valid_length")) is not None:
        yield _draft(column, "length", {"min": length, "max": length}), f"length({name}) = {length}"


def _limits(
    rule: Rule, column: str, body: Body, kind: Any, value: str, words: Mapping[str, str]
) -> Iterator[tuple[Draft, str]]:
    given = {ours: body[word] for ours, word in words.items() if body.get(word) is not None}
    for ours, end in given.items():
        if not only_number(end):
            refuse(rule, f"{words[ours]}: {end!r} is no number", "write a number")
    if given:
        signs = {"min": ">=", "max": "<="}
        yield _draft(column, kind, given), all_of(f"{value} {signs[end]} {given[end]}" for end in given)


def _draft(column: str, kind: Any, params: dict[str, Any]) -> Draft:
    return Draft(kind, (column,), params, label="invalid")


def _values(rule: Rule, body: Body, key: str) -> list[Any]:
    values = body.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or not values:
        refuse(rule, f"{key} must be a list of values", f"write {key}: [A, B]")
    return values


def regex_of(rule: Rule, body: Body, key: str) -> str:
    given = body.get(key)
    if given is None:
        return ""
    pattern = given.get("regex") if isinstance(given, Mapping) else None
    if not isinstance(pattern, str) or not pattern:
        refuse(rule, f"{key} has no regular expression", f"write {key}: {{regex: '…', name: '…'}}")
    return pattern
