"""Documents of other tools taken apart into checks: Soda 4 contracts, SodaCL files, suites of Great Expectations.

A check keeps what its document says above it (filters, a column's valid values), so that it means the same alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Part", "expectations_of", "soda_checks_of"]

Path = tuple[str | int, ...]
_VALIDITY = frozenset(
    "missing_values missing_format invalid_values invalid_format valid_values valid_format valid_min valid_max "
    "valid_length valid_min_length valid_max_length valid_reference_data".split()
)
_INHERITING = ("missing", "invalid", "duplicate", "aggregate")
_CHECKS_FOR = re.compile(r"^checks for\s+(?P<dataset>[^\s\[]+)(?:\s*\[(?P<partition>[^\]]+)\])?$")
_FILTER = re.compile(r"^filter\s+(?P<dataset>\S+)\s*\[(?P<partition>[^\]]+)\]$")


@dataclass(frozen=True)
class Part:
    """One check, where it stands in its document, and the column it stands under."""

    body: dict[str, Any]
    path: Path = ()
    column: str = ""
    beside: Mapping[str, Any] = field(default_factory=dict)

    def whole(self) -> dict[str, Any]:
        return {**self.body, **{key: value for key, value in self.beside.items() if value}}


def soda_checks_of(document: Any) -> list[Part] | None:
    """Checks of a Soda 4 contract or a SodaCL file, in order; None for what is neither."""
    if isinstance(document, list):
        return list(_listed(document, (), {}))
    if not isinstance(document, Mapping):
        return None
    if any(_CHECKS_FOR.match(str(key)) for key in document):
        return list(_sodacl(document))
    if "checks" in document or "columns" in document:
        return list(_contract(document))
    return None


def _contract(document: Mapping[str, Any]) -> Iterator[Part]:
    columns = [column for column in document.get("columns") or () if isinstance(column, Mapping)]
    declared = {str(column.get("name")): column.get("data_type") for column in columns}
    beside = {"filter": document.get("filter"), "dataset": document.get("dataset")}
    for part in _listed(document.get("checks"), ("checks",), beside):
        more = {"columns_declared": declared} if "schema" in part.body else {}
        yield Part(part.body, part.path, "", {**part.beside, **more})
    for number, column in enumerate(document.get("columns") or ()):
        if isinstance(column, Mapping):
            yield from _of_column(column, ("columns", number), beside)


def _of_column(column: Mapping[str, Any], path: Path, beside: Mapping[str, Any]) -> Iterator[Part]:
    inherited = {key: value for key, value in column.items() if key in _VALIDITY}
    for part in _listed(column.get("checks"), (*path, "checks"), beside):
        body = {
            word: {**inherited, **(given or {})} if word in _INHERITING and isinstance(given or {}, Mapping) else given
            for word, given in part.body.items()
        }
        yield Part(body, part.path, str(column.get("name") or ""), part.beside)


def _sodacl(document: Mapping[str, Any]) -> Iterator[Part]:
    filters = {}
    for key, given in document.items():
        if (match := _FILTER.match(str(key))) and isinstance(given, Mapping):
            filters[match["dataset"], match["partition"]] = given.get("where")
    for key, given in document.items():
        if match := _CHECKS_FOR.match(str(key)):
            where = filters.get((match["dataset"], match["partition"]))
            yield from _listed(given, (str(key),), {"filter": where, "dataset": match["dataset"]})


def _listed(checks: Any, path: Path, beside: Mapping[str, Any]) -> Iterator[Part]:
    for number, body in enumerate(checks if isinstance(checks, list) else ()):
        if isinstance(body, str):
            yield Part({body: None}, (*path, number), beside=beside)
        elif isinstance(body, Mapping):
            yield Part(dict(body), (*path, number), beside=beside)


def expectations_of(document: Any) -> list[Part] | None:
    """Expectations of a suite of 0.18 or 1.x; None for what is no suite."""
    path: Path = ()
    if isinstance(document, Mapping) and isinstance(document.get("expectation_suite"), Mapping):
        document, path = document["expectation_suite"], ("expectation_suite",)
    if isinstance(document, Mapping) and "expectations" in document:
        document, path = document["expectations"], (*path, "expectations")
    if not isinstance(document, list):
        return None
    return [Part(dict(body), (*path, number)) for number, body in enumerate(document) if isinstance(body, Mapping)]
