"""Expressions of a manifest (Jinja) as placeholders of a spec, where they only name something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dativo_provider.connectors.airbyte.manifest.notes import Notes

__all__ = ["path_of", "text", "texts"]

_EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_STEPS = r"(?:\.\w+|\[\s*(?:'[^']*'|\"[^\"]*\"|-?\d+)\s*\])*"
_NAME = re.compile(rf"(\w+)({_STEPS})")
_GET = re.compile(r"\.get\(\s*('[^']*'|\"[^\"]*\")\s*(?:,[^()]*)?\)")
_STEP = re.compile(r"\.(\w+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(-?\d+))\s*\]")
_DEFAULT = re.compile(r"(.*?)\s*(?:\|\s*default\(\s*|\bor\s+)('[^']*'|\"[^\"]*\"|\d+)\s*\)?", re.DOTALL)
_SLICES = ("stream_slice", "stream_partition", "stream_interval")
_BOUNDS = {"start_time": "lo", "start_date": "lo", "end_time": "hi", "end_date": "hi"}


def path_of(expression: str, root: str) -> str | None:
    """`response['a'].b` → `a.b`; None when it is anything but a way into `root`."""
    inner = _EXPRESSION.fullmatch(expression.strip())
    found = _NAME.fullmatch(_plain(inner[1] if inner else expression.strip()))
    if not found or found[1] != root:
        return None
    return ".".join(_steps(found[2]))


def _plain(expression: str) -> str:
    return _GET.sub(r"[\1]", expression)


def _steps(text: str) -> list[str]:
    return [next(part for part in step if part) for step in _STEP.findall(text)]


def texts(value: Any, notes: Notes, parameters: Mapping[str, Any], form: str = "") -> Any:
    """`value` with every text in it translated; entries that cannot be are noted and left out."""
    if isinstance(value, Mapping):
        made = {}
        for key, each in value.items():
            with notes.at(str(key)):
                found = texts(each, notes, parameters, form)
            if found is not None:
                made[str(key)] = found
        return made
    if isinstance(value, list):
        return [texts(each, notes, parameters, form) for each in value]
    return text(value, notes, parameters, form) if isinstance(value, str) else value


def text(value: str, notes: Notes, parameters: Mapping[str, Any], form: str = "") -> str | None:
    """None, and a note, when an expression in it computes something. `form` is how bounds of the window are written."""
    made, end = "", 0
    for match in _EXPRESSION.finditer(value):
        found = _named(match[1], notes, parameters, form)
        if found is None:
            notes.cannot(f"'{match[0]}' computes something")
            return None
        made, end = f"{made}{value[end : match.start()]}{found}", match.end()
    if "{%" in value:
        notes.cannot("a Jinja statement has no counterpart")
        return None
    return made + value[end:]


def _named(expression: str, notes: Notes, parameters: Mapping[str, Any], form: str) -> str | None:
    expression, default = _plain(expression), None
    if with_default := _DEFAULT.fullmatch(expression):
        expression, default = with_default[1].strip(), with_default[2].strip("'\"")
    if literal := re.fullmatch(r"'([^']*)'|\"([^\"]*)\"", expression):
        return literal[1] or literal[2] or ""
    found = _NAME.fullmatch(expression)
    steps = _steps(found[2]) if found else []
    if not found or not steps:
        return None
    if found[1] == "config":
        notes.settings.setdefault(steps[-1], default)
        return f"{{{steps[-1]}}}"
    if found[1] in ("parameters", "options"):
        given: Any = parameters
        for step in steps:
            given = given.get(step) if isinstance(given, Mapping) else None
        return None if given is None else text(str(given), notes, {})
    if found[1] in _SLICES:
        if form and steps[-1] in _BOUNDS:
            return f"{{{_BOUNDS[steps[-1]]}:{form}}}"
        return f"{{parent.{steps[-1]}}}"
    return None
