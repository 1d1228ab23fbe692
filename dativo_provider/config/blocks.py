"""`data_contract:` blocks: their checks as rules, and what violations do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dativo_provider.config.checkfiles import file_rules
from dativo_provider.config.contract import Policy
from dativo_provider.config.execution import timeout_of
from dativo_provider.config.handling import handling_of
from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.shapes.checks import ContractBlock, InlineCheck
from dativo_provider.config.suites import soda_checks_of
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.checks import Rule

__all__ = ["block_rules", "columns_of", "inline_rules", "policy_of"]

_ENGINES = {
    "soda": "soda", "soda_core": "soda", "great_expectations": "great_expectations", "gx": "great_expectations",
    "custom": "custom", "inline": "inline", "dativo": "inline",
}  # fmt: skip
Path = tuple[Key, ...]


def block_rules(block: Mapping[str, Any], at: Located, path: Path, findings: Findings) -> tuple[Rule, ...]:
    """Every check of a block whose other keys have been validated. Raw data, so that a rule shows what was written."""
    found = list(inline_rules(block.get("inline_checks"), at, (*path, "inline_checks"), findings))
    found += _quality_checks(block.get("quality_checks"), at, (*path, "quality_checks"), findings)
    handling = _mapping(block.get("violation_handling"))
    return (*found, *_sla_rules(_mapping(block.get("sla")), handling.get("on_sla_violation"), at, path))


def policy_of(block: ContractBlock | None) -> Policy:
    if block is None:
        return Policy()
    handling = block.violation_handling
    quarantine = handling.quarantine if handling else None
    return Policy(
        enforcement=block.enforcement_mode if block.enabled else "disabled",
        on_schema_violation=handling.on_schema_violation if handling else None,
        keep_original=bool(quarantine and quarantine.keep_original),
        quarantine_days=quarantine.retention_days if quarantine else None,
        handling=handling_of(handling),
        notification=handling.notification if handling else None,
        sla=block.sla if block.enabled else None,
    )


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Columns a rule of an own front end names."""
    if rule.column:
        return (rule.column.partition(".")[0],)
    body = rule.body
    if rule.language == "odcs":
        names = _mapping(body.get("arguments")).get("properties") or ()
    else:
        names = next((body[key] for key in ("columns", "column", "field") if body.get(key)), ())
    return tuple(str(name) for name in ([names] if isinstance(names, str) else names) if isinstance(name, str))


def inline_rules(checks: Any, at: Located, path: Path, findings: Findings) -> Iterator[Rule]:
    """A list of checks in short form."""
    for number, body in _items(checks, at, path, findings):
        keys = (*path, number)
        if shaped(InlineCheck, body, at, findings, keys) is None:
            continue
        if not body.get("type") and not body.get("function"):
            findings.error(at, keys, "'type' is missing in a check", "add `type:`, or `function:` of a custom check")
            continue
        custom = body.get("type") in (None, "custom")
        written = {key: value for key, value in body.items() if value is not None}
        yield Rule("custom" if custom else "inline", written, declared_in=_where(at, keys))


def _quality_checks(checks: Any, at: Located, path: Path, findings: Findings) -> Iterator[Rule]:
    if isinstance(checks, dict):
        for engine, group in checks.items():
            seconds = timeout_of(group, at, (*path, engine), findings)
            made = _engine_checks(engine, group, at, (*path, engine), findings)
            yield from (replace(rule, seconds=seconds) for rule in made)
    else:
        yield from inline_rules(checks, at, path, findings)


def _engine_checks(engine: str, group: Any, at: Located, path: Path, findings: Findings) -> Iterator[Rule]:
    language = _ENGINES.get(engine)
    if language is None:
        findings.error(
            at, path, f"'{engine}' is not an engine of checks", f"use one of: {', '.join(_ENGINES)}", value=False
        )
        return
    if isinstance(group, str) and language in _FILES:
        yield from file_rules(group, language, at, path, findings)
        return
    if isinstance(group, dict):
        yield from _named_files(language, group, at, path, findings)
        whole = language == "soda" and ("columns" in group or "checks" not in group)
        if whole and (parts := soda_checks_of(group)):
            yield from (Rule(language, p.whole(), p.column, _where(at, (*path, *p.path))) for p in parts)
            return
        group, path = group.get("checks"), (*path, "checks")
    if language == "inline":
        yield from inline_rules(group, at, path, findings)
        return
    for number, body in _items(group, at, path, findings, text=language == "soda"):
        if language == "custom" and not isinstance(body.get("function"), str):
            findings.error(at, (*path, number), "'function' is missing in a custom check", "add `function:`")
            continue
        yield Rule(language, body, declared_in=_where(at, (*path, number)))


_FILES = {"soda": ("checks_file", "contract_file", "file"), "great_expectations": ("expectation_suite", "suite_file")}


def _named_files(
    language: str, group: Mapping[str, Any], at: Located, path: Path, findings: Findings
) -> Iterator[Rule]:
    """Checks that lie in files of their own. `expectation_suite` may be no more than the name of the checks here."""
    for key in _FILES.get(language, ()):
        if group.get(key):
            needed = key != "expectation_suite" or not group.get("checks")
            yield from file_rules(group[key], language, at, (*path, key), findings, needed=needed)


def _items(
    checks: Any, at: Located, path: Path, findings: Findings, *, text: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    if checks is None:
        return
    if not isinstance(checks, list):
        findings.error(at, path, "checks must be a list", "begin each check with `- `")
        return
    for number, body in enumerate(checks):
        if text and isinstance(body, str):
            yield number, {body: None}
        elif isinstance(body, dict):
            yield number, body
        else:
            findings.error(at, (*path, number), "a check must be a mapping of keys", "write `- name: …` and its keys")


def _sla_rules(sla: Mapping[str, Any], on_violation: Any, at: Located, path: Path) -> Iterator[Rule]:
    hours = _mapping(sla.get("freshness")).get("max_age_hours")
    if isinstance(hours, int | float):
        body: dict[str, Any] = {"name": "sla_freshness", "type": "freshness", "max_age_hours": hours}
        if column := _mapping(sla.get("freshness")).get("column"):
            body["column"] = column
        if on_violation in ("block", "warn"):
            body["on_violation"] = on_violation
        yield Rule("inline", body, declared_in=_where(at, (*path, "sla", "freshness")))


def _where(at: Located, keys: Sequence[Key]) -> str:
    path, line, column = at.spot(keys)
    return f"{path}:{line}:{column}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
