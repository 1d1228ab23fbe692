"""Rules in any language become `CheckSpec`s. A language is a leaf with `compile_rule` and an entry of `_LANGUAGES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec, Rule
from dativo_provider.model.handling import Handling
from dativo_provider.model.job import Enforcement
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends import custom, great_expectations, inline, odcs, odcs_options, soda
from dativo_provider.quality.frontends.base import Contract, Draft
from dativo_provider.vocabulary import OnViolation, SchemaValidation

__all__ = ["advice", "compile_rules"]

_USUAL = Handling()
_LANGUAGES: dict[str, Callable[[Rule, Contract], Iterable[Draft]]] = {
    "odcs": odcs.compile_rule,
    "odcs-options": odcs_options.compile_rule,
    "inline": inline.compile_rule,
    "soda": soda.compile_rule,
    "great_expectations": great_expectations.compile_rule,
    "custom": custom.compile_rule,
}


def compile_rules(
    rules: Sequence[Rule],
    fields: Sequence[Field],
    enforcement: Enforcement = "strict",
    schema_validation: SchemaValidation = "quarantine",
    cursor_field: str = "",
    judged: Mapping[str, SchemaValidation] | None = None,
    handling: Handling = _USUAL,
) -> tuple[CheckSpec, ...]:
    """The schema's own checks (`type`, `required`), then the rules in order. `cursor_field` is the stream's; `judged`
    are columns with a `schema_validation` of their own; `handling` is for checks that do not say what a failure does.

    Raises `ConfigurationError` saying where the rule was written.
    """
    contract, modes = Contract(tuple(fields), cursor_field, handling), judged or {}
    schema = [check for item in fields for check in _schema_checks(item, modes.get(item.name, schema_validation))]
    written = [_enforced(check, enforcement) for rule in rules for check in _compile(rule, contract)]
    return tuple(_with_unique_ids([*schema, *written]))


def _compile(rule: Rule, contract: Contract) -> list[CheckSpec]:
    if rule.language not in _LANGUAGES:
        raise ConfigurationError(
            f"checks in '{rule.language}' are unknown",
            where=rule.declared_in,
            remedy=f"group them under one of {', '.join(_LANGUAGES)}",
        )
    return [_timed(draft.spec(rule, contract), rule) for draft in _LANGUAGES[rule.language](rule, contract)]


def _timed(check: CheckSpec, rule: Rule) -> CheckSpec:
    """What an engine evaluates may take as long as its rule says; a function's own time comes first."""
    if check.kind != "custom" or not rule.seconds:
        return check
    return replace(check, params={"timeout_seconds": rule.seconds, **check.params})


def _schema_checks(item: Field, mode: SchemaValidation) -> Iterator[CheckSpec]:
    """`strict` blocks the run, `warn` lets an optional value become NULL; a required one is set aside even then."""
    policy: OnViolation = "block" if mode == "strict" else "quarantine"
    lenient = mode == "warn" and not item.required
    yield CheckSpec(
        id=f"{item.name}.type",
        name=f"{item.name} is {item.type}",
        kind="type",
        columns=(item.name,),
        params={"type": item.type},
        severity="warning" if lenient else "error",
        on_violation="warn" if lenient else policy,
        dimension="conformity",
    )
    if item.required:
        yield CheckSpec(
            id=f"{item.name}.required",
            name=f"{item.name} is present",
            kind="required",
            columns=(item.name,),
            on_violation=policy,
            dimension="completeness",
        )


def _enforced(check: CheckSpec, enforcement: Enforcement) -> CheckSpec:
    if enforcement == "strict":
        return check
    if enforcement == "disabled":
        params = {**check.params, "skipped": "the contract's enforcement is disabled"}
        return replace(check, scope="dataset", params=params, on_violation="warn")
    severity = "warning" if check.kind == "freshness" and check.severity == "error" else check.severity
    return replace(check, on_violation="warn", severity=severity)


def _with_unique_ids(checks: Iterable[CheckSpec]) -> Iterator[CheckSpec]:
    taken: set[str] = set()
    for check in checks:
        made, number = check.id, 2
        while made in taken:
            made, number = f"{check.id}.{number}", number + 1
        taken.add(made)
        yield check if made == check.id else replace(check, id=made)


def advice(checks: Iterable[CheckSpec]) -> list[tuple[str, str]]:
    """What `validate` should warn of: (where, sentence) for each check this version will not evaluate."""
    return [
        (check.declared_in, f"check '{check.name}' will not be evaluated: {check.params['not_evaluated']}")
        for check in checks
        if check.params.get("not_evaluated")
    ]
