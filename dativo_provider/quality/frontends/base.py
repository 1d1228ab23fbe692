"""What every front end needs: columns by name, words of severity, thresholds, ids."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeGuard, cast

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec, Rule
from dativo_provider.model.handling import Handling
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends.bounds import conform
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.vocabulary import CheckKind, CheckScope, OnViolation, Severity

__all__ = ["Contract", "Draft", "columns_of", "did_you_mean", "only_number", "refuse"]

_SEVERITIES: dict[str, Severity] = {
    "critical": "error", "blocker": "error", "error": "error", "fail": "error", "high": "error",
    "medium": "warning", "warning": "warning", "warn": "warning",
    "low": "info", "minor": "info", "info": "info",
}  # fmt: skip
_POLICIES: tuple[OnViolation, ...] = ("block", "warn", "quarantine")
_DATASET_KINDS = frozenset(
    "uniqueness freshness row_count change aggregate distribution reference schema sql failed_rows anomaly custom text"
    .split()
)  # fmt: skip
_DIMENSIONS = {
    "required": "completeness", "uniqueness": "uniqueness", "freshness": "timeliness", "row_count": "completeness",
    "distribution": "accuracy", "reference": "consistency", "schema": "conformity", "condition": "consistency",
    "type": "conformity", "range": "conformity", "length": "conformity", "regex": "conformity", "enum": "conformity",
    "failed_rows": "conformity",
}  # fmt: skip

# What a check kind can look at; a kind that is not named here looks at anything.
KIND_TYPES: dict[str, frozenset[str]] = {
    "range": frozenset("int long float double decimal date time timestamp timestamptz string".split()),
    "length": frozenset("string uuid binary list map".split()),
    "regex": frozenset({"string", "uuid"}),
    "enum": frozenset("boolean int long float double decimal date string uuid".split()),
    "freshness": frozenset("date timestamp timestamptz".split()),
}


@dataclass(frozen=True)
class Contract:
    """The columns rules may name. Without fields (the source's schema is not known yet) any name is taken."""

    fields: tuple[Field, ...] = ()
    cursor_field: str = ""
    handling: Handling = Handling()

    def column(self, name: Any, rule: Rule) -> Field:
        """The field called `name`, ignoring case where that is unambiguous."""
        if not isinstance(name, str) or not name:
            refuse(rule, f"a column name is expected, not {name!r}")
        if not self.fields:
            return Field(name, type="")
        exact = [item for item in self.fields if item.name == name]
        alike = exact or [item for item in self.fields if item.name.casefold() == name.casefold()]
        names = [item.name for item in self.fields]
        if len(alike) != 1:
            refuse(rule, f"there is no column '{name}' (has: {', '.join(names)})", did_you_mean(name, names))
        return alike[0]


@dataclass(frozen=True)
class Draft:
    """A check as a front end understood it, before defaults and ids. `allowed` makes it a decision on counts."""

    kind: CheckKind
    columns: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    allowed: Threshold | None = None
    denominator: str = "rows"  # which rows a share is a share of
    engine: str = ""
    not_evaluated: str = ""  # why nothing can be evaluated
    label: str = ""  # word of the id instead of the kind
    said: Mapping[str, Any] | None = None  # the rule's body in our words, where its own are another language's

    def spec(self, rule: Rule, contract: Contract) -> CheckSpec:
        """Types bounds by their column, fills in severity, policy, dimension, name. The id is made unique later."""
        rule = rule if self.said is None else replace(rule, body=self.said)
        if not self.not_evaluated:
            self._check_types(rule, contract)
        body, scope = rule.body, self._scope()
        severity = severity_of(rule)
        dimension = str(body.get("dimension") or _DIMENSIONS.get(self.kind, ""))
        policy, severity = _policy(rule, self, scope, severity, contract.handling.word(severity, dimension))
        name = str(body.get("name") or body.get("id") or "")
        return CheckSpec(
            id=slug(str(body.get("id") or name)) or ".".join([*self.columns, self.label or self.kind]),
            name=name or " ".join([", ".join(self.columns), self.label or self.kind]).strip(),
            kind=self.kind,
            scope=scope,
            columns=self.columns,
            params=self._params(rule, contract),
            severity=severity,
            on_violation=policy,
            dimension=dimension,
            where="" if self._within else where_of(body),
            denominator=self.denominator,
            tolerance=_tolerance(rule),
            engine=self.engine,
            declared_in=rule.declared_in,
            description=str(body.get("description") or ""),
        )

    def _scope(self) -> CheckScope:
        return "dataset" if self.kind in _DATASET_KINDS or self.not_evaluated else "row"

    @property
    def _within(self) -> bool:
        """Whether the condition on the rows goes into the query: one of its own has no other."""
        return "{object}" in str(self.params.get("query", ""))

    def _params(self, rule: Rule, contract: Contract) -> dict[str, Any]:
        if self.not_evaluated:
            return {**self.params, "not_evaluated": self.not_evaluated}
        made = conform(self.kind, self.params, contract.column(self.columns[0], rule), rule) if self.columns else {}
        params = {**self.params, **made, **_reads(rule, contract)}
        if self._within and (where := where_of(rule.body)):
            params["query"] = params["query"].replace("{object}", f"(SELECT * FROM {{object}} WHERE {where})")
        return {**params, "allowed": self.allowed.to_dict()} if self.allowed else params

    def _check_types(self, rule: Rule, contract: Contract) -> None:
        fits = KIND_TYPES.get(self.kind)
        for name in self.columns:
            kind = re.split(r"[(<]", contract.column(name, rule).type)[0]
            if fits and kind and kind not in fits:
                refuse(rule, f"a {self.kind} check cannot look at '{name}', which is {kind}", f"use {_list(fits)}")


def _reads(rule: Rule, contract: Contract) -> dict[str, Any]:
    """The columns that `where` names, as the contract spells them."""
    text = rule.body.get("where") or rule.body.get("filter")
    return {"reads": list(columns_of(text, "where", rule, contract))} if text else {}


def columns_of(text: Any, key: str, rule: Rule, contract: Contract) -> tuple[str, ...]:
    """The columns that a SQL condition on rows names. Raises `ConfigurationError` when it is none, or names another."""
    from dativo_provider.sql.syntax import columns_read

    try:
        return tuple(dict.fromkeys(contract.column(name, rule).name for name in columns_read(text)))
    except ConfigurationError as error:
        if error.where:
            raise
        refuse(rule, f"{key}: {error.message}", f"correct the condition: {text}")


def _list(words: Iterable[str]) -> str:
    return "a column of type " + ", ".join(sorted(words))


def _policy(
    rule: Rule, draft: Draft, scope: str, severity: Severity, usual: OnViolation | None
) -> tuple[OnViolation, Severity]:
    """What a violation does: as written, else as usual for its dimension or severity, else by severity
    (ARCHITECTURE 6). To set a whole batch aside is to block it: its rows stay beside, and none is published."""
    written = _written_policy(rule)
    counted = draft.allowed is not None or _tolerance(rule) > 0
    decided = counted or (scope == "dataset" and draft.kind != "uniqueness")  # of each key the first row may stay
    if written == "quarantine" and decided and not draft.not_evaluated:
        refuse(rule, "on_violation: quarantine needs a check of single rows", "write block or warn")
    if written is None and usual is not None:
        written = "block" if usual == "quarantine" and decided and draft.kind != "freshness" else usual
    if draft.kind == "freshness":
        written = None if written == "quarantine" else written
        # rows publish and the run fails afterwards: to hold fresh rows back would make the table staler
        return (written or "warn"), ("warning" if written == "warn" and severity == "error" else severity)
    if written:
        return written, severity
    if severity != "error":
        return "warn", severity
    return ("block" if decided else "quarantine"), severity


def _written_policy(rule: Rule) -> OnViolation | None:
    value = rule.body.get("on_violation") or _custom_property(rule, "onViolation")
    if value is None:
        return None
    if value not in _POLICIES:
        refuse(rule, f"on_violation: '{value}' is unknown", f"write one of {', '.join(_POLICIES)}")
    return cast("OnViolation", value)


def _custom_property(rule: Rule, name: str) -> Any:
    """ODCS keeps words of its own for vendors: `customProperties: [{property: onViolation, value: block}]`."""
    given = rule.body.get("customProperties") or ()
    return next((p.get("value") for p in given if str(p.get("property", "")).split(".")[-1] == name), None)


def _tolerance(rule: Rule) -> float:
    value = rule.body.get("tolerance", 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        refuse(rule, f"tolerance: {value!r} is no share of rows", "write a number from 0 up to 1, such as 0.01")
    return float(value)


def where_of(body: Mapping[str, Any]) -> str:
    return str(body.get("where") or body.get("filter") or "")


def severity_of(rule: Rule) -> Severity:
    word = str(rule.body.get("severity") or "error").lower()
    if word not in _SEVERITIES:
        refuse(
            rule, f"severity: '{word}' is unknown", did_you_mean(word, _SEVERITIES) or "write error, warning or info"
        )
    return _SEVERITIES[word]


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"did you mean '{near[0]}'?" if near else ""


def refuse(rule: Rule, problem: str, remedy: str = "") -> NoReturn:
    """Raises a `ConfigurationError` that says which check, and where it was written."""
    name = rule.body.get("name") or rule.body.get("id") or rule.body.get("type") or rule.body.get("metric")
    of = f" of column '{rule.column}'" if rule.column else ""
    called = f"check '{name}'" if name else "check"
    raise ConfigurationError(f"{called}{of}: {problem}", where=rule.declared_in, remedy=remedy)


def only_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
