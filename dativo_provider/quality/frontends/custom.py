"""Checks by a function's name, `custom: [{name, function, …}]`: kept, reported, not executed by this version."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft, refuse

__all__ = ["compile_rule"]


def compile_rule(rule: Rule, _: Contract) -> Iterator[Draft]:
    function = rule.body.get("function")
    if not isinstance(function, str) or not function:
        refuse(rule, "a custom check needs a function", "add function: NAME")
    yield Draft(
        "custom",
        params={"function": function},
        engine="custom",
        not_evaluated=f"this version does not run the function '{function}'",
        label=function,
    )
