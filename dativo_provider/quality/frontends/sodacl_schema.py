"""`schema:` of SodaCL: its alerts, `when required column missing`, `when wrong column type`, …"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft, refuse
from dativo_provider.quality.frontends.soda_types import TYPES

__all__ = ["drafts"]

_LEVELS = {"warn": "warning", "fail": "error"}
_CHANGES = "when schema changes"


def drafts(options: Mapping[str, Any], contract: Contract, rule: Rule) -> Iterator[Draft]:
    for word, severity in _LEVELS.items():
        alerts = options.get(word)
        if isinstance(alerts, str):
            alerts = {alerts: None}
        for alert, given in (alerts or {}).items():
            yield _with_severity(_alert(str(alert).strip(), given, contract, rule), severity)


def _with_severity(draft: Draft, severity: str) -> Draft:
    return Draft(
        draft.kind, draft.columns, draft.params, engine=draft.engine, not_evaluated=draft.not_evaluated,
        label=draft.label, said={"severity": severity, "where": ""},
    )  # fmt: skip


def _alert(alert: str, given: Any, contract: Contract, rule: Rule) -> Draft:
    if alert == "when required column missing":
        return _schema({"names": _names(given, alert, rule), "order": False, "others": True}, "required_columns")
    if alert == "when wrong column type":
        types = _typed(given, alert, rule)
        return _schema({"names": list(types), "types": types, "order": False, "others": True}, "column_types")
    if alert == "when wrong column index":
        return _in_order(given, alert)
    if alert.startswith(_CHANGES):
        return _schema({"names": [item.name for item in contract.fields], "order": False, "others": False}, "changes")
    reason = f"the SodaCL alert '{alert}' has no equal here, and Soda 4 does not read SodaCL"
    return Draft("custom", engine="soda", not_evaluated=reason, label="schema")


def _schema(params: dict[str, Any], label: str) -> Draft:
    return Draft("schema", (), params, label=label)


def _names(given: Any, alert: str, rule: Rule) -> list[str]:
    if not isinstance(given, list) or not given:
        refuse(rule, f"'{alert}' wants a list of columns", "write [a, b]")
    return [str(name) for name in given]


def _typed(given: Any, alert: str, rule: Rule) -> dict[str, str]:
    if not isinstance(given, Mapping) or not given:
        refuse(rule, f"'{alert}' wants columns and their types", "write {id: bigint}")
    types = {str(name): TYPES.get(str(kind).split("(")[0].strip().lower(), "") for name, kind in given.items()}
    for name, kind in types.items():
        if not kind:
            refuse(rule, f"type '{given[name]}' of '{name}' is unknown", f"use one of {', '.join(TYPES)}")
    return types


def _in_order(given: Any, alert: str) -> Draft:
    if not isinstance(given, Mapping) or sorted(given.values()) != list(range(len(given))):
        reason = f"'{alert}' is judged only for the first columns in order: 0, 1, 2, …"
        return Draft("custom", engine="soda", not_evaluated=reason, label="schema")
    names = sorted((str(name) for name in given), key=lambda name: given[name])
    return _schema({"names": names, "order": True, "others": True}, "column_order")
