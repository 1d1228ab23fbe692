"""DatetimeBasedCursor as `incremental`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.connectors.airbyte.manifest.notes import Notes

__all__ = ["Increment", "increment"]

# strftime as manifests write it → our forms, and how finely each tells
_FORMS = {
    "%s": ("epoch", "second"), "%ms": ("epoch_ms", "millisecond"), "%Y-%m-%d": ("date", "day"),
    "%Y-%m-%dT%H:%M:%SZ": ("iso_seconds", "second"), "%Y-%m-%dT%H:%M:%S%z": ("iso_seconds", "second"),
    "%Y-%m-%dT%H:%M:%S": ("iso_seconds", "second"), "%Y-%m-%dT%H:%M:%S.%fZ": ("iso", "microsecond"),
    "%Y-%m-%dT%H:%M:%S.%f%z": ("iso", "microsecond"), "%Y-%m-%dT%H:%M:%S.%f": ("iso", "microsecond"),
    "%Y-%m-%dT%H:%M:%S.%_msZ": ("iso_millis", "millisecond"),
    "%Y-%m-%dT%H:%M:%S.%_ms%z": ("iso_millis", "millisecond"),
}  # fmt: skip


@dataclass(frozen=True)
class Increment:
    """`form` is how the request writes moments, `params` are the bounds it takes."""

    made: dict[str, Any]
    form: str
    params: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)


def increment(component: Mapping[str, Any], notes: Notes) -> Increment | None:
    if component.get("type") != "DatetimeBasedCursor":
        notes.unknown(component, grave=False)
        return None
    said = str(component.get("datetime_format") or "%Y-%m-%dT%H:%M:%S.%f%z")
    form, precision = _FORMS.get(said, ("", ""))
    if not form:
        notes.cannot(f"moments written as '{said}' have no counterpart", "datetime_format", grave=False)
        return None
    if component.get("lookback_window"):
        notes.cannot("say it in the job: incremental.lookback_days", "lookback_window", grave=False)
    column = str(component.get("cursor_field") or "")
    written = next((_FORMS[each][0] for each in component.get("cursor_datetime_formats") or () if each in _FORMS), form)
    made: dict[str, Any] = {"cursor": column, "precision": precision}
    made |= {"format": written} if written in ("epoch", "epoch_ms") else {}
    params, body = _bounds(component, form, notes)
    if any("{hi" in each for each in (*params.values(), *body.values())):
        made["bounded"] = True
    return Increment(made, form, params, body)


def _bounds(component: Mapping[str, Any], form: str, notes: Notes) -> tuple[dict[str, str], dict[str, str]]:
    params: dict[str, str] = {}
    body: dict[str, str] = {}
    for key, bound in (("start_time_option", "lo"), ("end_time_option", "hi")):
        option = component.get(key)
        if not isinstance(option, Mapping):
            continue
        into = {"request_parameter": params, "body_json": body}.get(str(option.get("inject_into")))
        if into is None:
            notes.cannot(f"a bound in '{option.get('inject_into')}' has no counterpart", key)
        else:
            into[str(option.get("field_name"))] = f"{{{bound}:{form}}}"
    return params, body
