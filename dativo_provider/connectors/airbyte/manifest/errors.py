"""Error handlers as rules on answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.connectors.airbyte.manifest.notes import Notes

__all__ = ["rules"]

_MEANS = {"IGNORE": "empty", "RETRY": "transient", "RATE_LIMITED": "rate_limited"}
_OWN = {401: "credential", 403: "forbidden", 404: "missing"}
_WAITS = {"WaitTimeFromHeader": "seconds", "WaitUntilTimeFromHeader": "epoch"}
_USUAL = ("ExponentialBackoffStrategy", "ConstantBackoffStrategy")  # what we do anyway


def rules(component: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    """Without what our own table says of the same answers."""
    if component.get("type") == "CompositeErrorHandler":
        found = component.get("error_handlers") or []
        return [rule for number, each in enumerate(found) for rule in _within(number, each, notes)]
    if component.get("type") not in (None, "DefaultErrorHandler"):
        notes.unknown(component, grave=False)
        return []
    filters = component.get("response_filters") or []
    return [*(rule for number, each in enumerate(filters) for rule in _filter(number, each, notes)),
            *_waits(component, notes)]  # fmt: skip


def _within(number: int, component: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    with notes.at("error_handlers", number):
        return rules(component, notes)


def _filter(number: int, component: Mapping[str, Any], notes: Notes) -> Iterator[dict[str, Any]]:
    with notes.at("response_filters", number):
        if component.get("predicate") or component.get("error_message_contains"):
            notes.cannot("a condition on the answer's text has no counterpart", grave=False)
            return
        action, remedy = str(component.get("action") or "FAIL"), str(component.get("error_message") or "")
        for status in sorted(map(int, component.get("http_codes") or ())):
            means = _MEANS.get(action) or (_OWN.get(status, "wrong") if action == "FAIL" else "")
            if not means:
                notes.cannot(f"action {action} has no counterpart", "action", grave=False)
                return
            told = {"remedy": remedy} if remedy and "{{" not in remedy else {}
            yield {"status": status, "means": means, **told}


def _waits(component: Mapping[str, Any], notes: Notes) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(component.get("backoff_strategies") or ()):
        form = _WAITS.get(str(each.get("type")))
        if form and each.get("header"):
            yield {"status": 429, "means": "rate_limited", "wait": {"header": str(each["header"]), "form": form}}
        elif each.get("type") not in _USUAL:
            notes.unknown(each, "backoff_strategies", number, grave=False)
