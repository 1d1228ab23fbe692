"""One expectation as its author wrote it, and what its mapping to a check of ours needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft, only_number, refuse
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.sql.names import quoted

__all__ = ["Expectation", "Unmapped", "bounded", "word_of"]

_WORDS = ("expectation", "expectation_type", "type", "name")
_KEPT = ("severity", "on_violation", "description", "dimension", "id")
_OURS = frozenset({"expectation", "expectation_type", "type", "name", "kwargs", "meta", "engine", *_KEPT})
_WHOLE = 1.0


class Unmapped(Exception):
    """This expectation, written like this, means nothing that a check of ours would decide alike."""


def word_of(body: Mapping[str, Any]) -> str:
    """`ExpectColumnToExist`, `expect_column_to_exist` → `expect_column_to_exist`; empty when no key says one."""
    given = [str(body[key]) for key in _WORDS if body.get(key)]
    words = [_snake(word) for word in given]
    return next((word for word in words if word.startswith(("expect_", "unexpected_"))), words[0] if words else "")


def _snake(word: str) -> str:
    """Class names write KL and Z together with the word before."""
    word = word.replace("KLDivergence", "KlDivergence")
    return re.sub(r"(?<!^)(?<!_)(?=[A-Z])", "_", word).lower()


@dataclass(frozen=True)
class Expectation:
    word: str
    rule: Rule
    contract: Contract
    kwargs: Mapping[str, Any]

    @classmethod
    def of(cls, word: str, rule: Rule, contract: Contract) -> Expectation:
        """Keywords in `kwargs` or beside the name, also in the camel case of ODCS's examples."""
        beside = {key: value for key, value in rule.body.items() if key not in _OURS}
        given = {_keyword(key): value for key, value in {**beside, **(rule.body.get("kwargs") or {})}.items()}
        if rule.column and "column" not in given and word.startswith("expect_column_"):
            given["column"] = rule.column
        return cls(word, rule, contract, {key: value for key, value in given.items() if value is not None})

    def said(self) -> dict[str, Any]:
        """The words beside the expectation, and its `mostly` as a tolerance, in our spelling."""
        body = self.rule.body
        said = {key: body[key] for key in _KEPT if body.get(key)}
        name = body.get("name") or (body.get("meta") or {}).get("name")
        if name and _snake(str(name)) != self.word:
            said["name"] = name
        if self.mostly < 1:
            said["tolerance"] = round(_WHOLE - self.mostly, 12)
        return said

    @property
    def mostly(self) -> float:
        given = self.kwargs.get("mostly", 1)
        if not only_number(given) or not 0 < given <= 1:
            refuse(self.rule, f"mostly: {given!r} is no share of rows", "write a number above 0, up to 1")
        return float(given)

    def column(self, key: str = "column") -> str:
        return self.contract.column(self.kwargs.get(key), self.rule).name

    def sql(self, key: str = "column") -> str:
        return quoted(self.column(key))

    def columns(self, key: str = "column_list") -> tuple[str, ...]:
        return tuple(self.contract.column(name, self.rule).name for name in self.listed(key))

    def listed(self, key: str) -> list[Any]:
        values = self.kwargs.get(key)
        if not isinstance(values, list | tuple) or not values:
            refuse(self.rule, f"{key} must be a list of values", f"add {key}: [A, B]")
        return list(values)

    def text(self, key: str) -> str:
        value = self.kwargs.get(key)
        if not isinstance(value, str) or not value:
            refuse(self.rule, f"{key}: {value!r} is no text", f"add {key}: TEXT")
        return value

    def type_of(self, column: str) -> str:
        """Base type of the column; empty where the schema is not known yet."""
        return re.split(r"[(<]", self.contract.column(column, self.rule).type)[0]


def _keyword(key: str) -> str:
    return key if key in ("column_A", "column_B", "type_") else _snake(key)


def bounded(draft: Draft, kwargs: Mapping[str, Any], low: str = "min_value", high: str = "max_value") -> list[Draft]:
    """The number of `draft` between two ends: one check where both ends are included, else one for each.

    Without any end there is nothing to check, which GX lets pass, too. Raises `Unmapped` for ends that are no numbers.
    """
    least, most = kwargs.get(low), kwargs.get(high)
    if not all(end is None or only_number(end) for end in (least, most)):
        raise Unmapped
    above, below = kwargs.get("strict_min") is True, kwargs.get("strict_max") is True
    if least is not None and most is not None and not above and not below:
        return [_with(draft, Threshold("mustBeBetween", [least, most]))]
    made = []
    if least is not None:
        made.append(_with(draft, Threshold("mustBeGreaterThan" if above else "mustBeGreaterOrEqualTo", least)))
    if most is not None:
        made.append(_with(draft, Threshold("mustBeLessThan" if below else "mustBeLessOrEqualTo", most)))
    if not made:
        raise Unmapped
    return made


def _with(draft: Draft, allowed: Threshold) -> Draft:
    return replace(draft, allowed=allowed)
