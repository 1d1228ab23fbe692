"""`type: custom` of ODCS: what its `implementation` says, in the language of its `engine`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import dativo_provider.quality.frontends.inline as inline
from dativo_provider.config.suites import Part, expectations_of, soda_checks_of
from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends import custom, great_expectations, soda
from dativo_provider.quality.frontends.base import Contract, Draft, refuse

__all__ = ["compile_rule"]

_KEPT = ("id", "name", "severity", "dimension", "description", "customProperties")
Compile = Callable[[Rule, Contract], Iterable[Draft]]
Split = Callable[[Any], "list[Part] | None"]


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    """Words of the rule itself (name, severity, …) hold for all its checks. An unknown engine is not evaluated."""
    engine = str(rule.body.get("engine") or "")
    if engine.lower().replace("_", "") not in _ENGINES:
        columns = (contract.column(rule.column, rule).name,) if rule.column else ()
        yield Draft("custom", columns, engine=engine, not_evaluated=f"this version has no engine for {engine} checks")
        return
    compile_inner, split = _ENGINES[engine.lower().replace("_", "")]
    document = _document(rule)
    for part in split(document) or [Part(dict(document))]:
        inner = replace(rule, body=part.whole(), column=part.column or rule.column)
        outer = {key: rule.body[key] for key in _KEPT if rule.body.get(key)}
        for draft in compile_inner(inner, contract):
            yield replace(draft, said={**(inner.body if draft.said is None else draft.said), **outer})


def _document(rule: Rule) -> Mapping[str, Any]:
    given = rule.body.get("implementation")
    if isinstance(given, str):
        given = _parsed(rule, given)
    if isinstance(given, list):
        given = {"checks": given, "expectations": given}
    if not isinstance(given, Mapping) or not given:
        refuse(rule, "implementation holds no check", "write it as a mapping, or as YAML in a block of text")
    return given


def _parsed(rule: Rule, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "it can not be read"
        refuse(rule, f"implementation is no YAML: {problem}", "indent its lines alike")


def _dativo(rule: Rule, contract: Contract) -> Iterator[Draft]:
    body = {**({"column": rule.column} if rule.column else {}), **rule.body}
    function = "function" in body and body.get("type") in (None, "custom")
    yield from (custom if function else inline).compile_rule(replace(rule, body=body), contract)


def _each(document: Any) -> list[Part] | None:
    checks = document.get("checks") if isinstance(document, Mapping) else None
    return [Part(dict(body)) for body in checks] if isinstance(checks, list) else None


_ENGINES: dict[str, tuple[Compile, Split]] = {
    "soda": (soda.compile_rule, soda_checks_of),
    "sodacore": (soda.compile_rule, soda_checks_of),
    "sodacl": (soda.compile_rule, soda_checks_of),
    "greatexpectations": (great_expectations.compile_rule, expectations_of),
    "gx": (great_expectations.compile_rule, expectations_of),
    "dativo": (_dativo, _each),
}
