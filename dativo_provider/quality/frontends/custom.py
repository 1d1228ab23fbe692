"""Checks by a function's name, `custom: [{name, function, arguments, …}]`: a built-in, or a function of your own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Contract, Draft, only_number, refuse
from dativo_provider.quality.frontends.builtin import BUILT_IN

__all__ = ["compile_rule"]


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    function = rule.body.get("function")
    if not isinstance(function, str) or not function:
        refuse(rule, "a custom check needs a function", "add function: NAME")
    arguments = rule.body.get("arguments") or {}
    if not isinstance(arguments, Mapping):
        refuse(rule, "arguments must be a mapping", "write arguments: {limit: 5}")
    names = next((rule.body[key] for key in ("columns", "column", "field") if rule.body.get(key)), ())
    columns = tuple(contract.column(name, rule).name for name in ([names] if isinstance(names, str) else names))
    if function in BUILT_IN:
        yield BUILT_IN[function](rule, columns, arguments)
        return
    params = {"function": function, "arguments": dict(arguments), **_time_limit(rule)}
    yield Draft("custom", columns, params, engine="python", label=function)


def _time_limit(rule: Rule) -> dict[str, float]:
    """`timeout_seconds`; without it, the engines' own."""
    seconds = rule.body.get("timeout_seconds")
    if seconds is None:
        return {}
    if not only_number(seconds) or seconds <= 0:
        refuse(rule, f"timeout_seconds: {seconds!r}", "write how long the function may take, such as 60")
    return {"timeout_seconds": seconds}
