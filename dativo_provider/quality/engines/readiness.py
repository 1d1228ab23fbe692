"""What a check asks for and would not find in a run: a function that is nowhere, a tool that is not installed.

Nothing of the user's is imported: a function is looked for in the text of its file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from dativo_provider.envs.recipes import RECIPES
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.job import JobSpec
from dativo_provider.model.settings import Settings
from dativo_provider.quality.engines.base import python_of
from dativo_provider.quality.engines.functions import found, roots_of

__all__ = ["unready"]

Missing = tuple[CheckSpec, str, str]  # what is missing, and what to do about it


def unready(checks: Sequence[CheckSpec], job: JobSpec, settings: Settings) -> Iterator[Missing]:
    """Of checks that an engine has to evaluate, those that this machine could not."""
    for check in checks:
        if check.kind != "custom" or {"skipped", "not_evaluated"} & check.params.keys():
            continue
        if "function" in check.params:
            if said := _missing(str(check.params["function"]), roots_of(job)):
                yield check, said, "a run counts the check as `error`: put the function there, or name another"
        elif check.engine in RECIPES and not python_of(RECIPES[check.engine], settings):
            remedy = f"where tasks run, {RECIPES[check.engine].ways}; without it the check is not evaluated"
            yield check, f"it needs {RECIPES[check.engine].title}, which is not installed here", remedy


def _missing(function: str, roots: Sequence[str]) -> str:
    place = found(function, roots)
    if isinstance(place, str):
        return place
    if not place["file"]:  # of an installed distribution
        return ""
    file = Path(place["file"])
    shown = file.name if not place["root"] else str(file.relative_to(place["root"]))
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return f"{shown} cannot be imported: {type(error).__name__}{line}"
    named = set(_named(body))
    return "" if {place["name"], "*"} & named else f"there is no '{place['name']}' in {shown}"


def _named(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that a module's text binds, within its `if` and `try` as well; `*` where it takes all of another's."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id
            elif isinstance(each, ast.alias):
                yield each.asname or each.name.partition(".")[0]
            elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield each.name
