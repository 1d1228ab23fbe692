"""Checks that need a tool or a function of the user's: all of one tool in one process of its own.

An engine is a leaf with `evaluate` and an entry of `ENGINES`. One that is not installed here evaluates nothing, and
says which command makes it.
"""

from __future__ import annotations

import platform
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

from dativo_provider.envs.place import made
from dativo_provider.envs.recipes import recipe
from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.engines import functions, great_expectations, soda
from dativo_provider.quality.engines.base import SILENT, Answers, Staged, answered
from dativo_provider.quality.metrics.base import Scene

__all__ = ["ENGINES", "evaluate", "needs_engine"]

Evaluate = Callable[[Sequence[CheckSpec], Scene, Staged], Answers]
ENGINES: Mapping[str, Evaluate] = {
    "function": functions.evaluate,
    "soda": soda.evaluate,
    "great_expectations": great_expectations.evaluate,
}


def needs_engine(check: CheckSpec) -> bool:
    return check.kind == "custom"


def evaluate(checks: Sequence[CheckSpec], scene: Scene) -> dict[str, CheckResult]:
    """A result by id for each check. Raises what `scene.read` and `scene.check_cancelled` do."""
    by_engine: dict[str, list[CheckSpec]] = defaultdict(list)
    for check in checks:
        by_engine["function" if "function" in check.params else check.engine].append(check)
    found: dict[str, CheckResult] = {}
    with TemporaryFolder("staged") as folder:
        staged = Staged(scene, folder)
        for engine, its in by_engine.items():
            if engine in ENGINES:
                began = perf_counter()
                answers = ENGINES[engine](its, scene, staged)
                told: dict[str, Any] = {
                    "engine": _with_version(engine, scene),
                    "seconds": (perf_counter() - began) / len(its),
                }
                found |= {e.id: replace(answered(e, scene, answers.get(e.id, SILENT)), **told) for e in its}
            else:
                found |= {each.id: _unknown(each, engine) for each in its}
    return found


def _with_version(engine: str, scene: Scene) -> str:
    """As its own environment holds it, else as this one does."""
    if engine == "function":
        return f"python {platform.python_version()}"
    known = recipe(engine)
    package = re.split(r"[=<>\[ ]", known.requirements[0])[0]
    own = made(Path(scene.settings.envs), engine) if scene.settings.envs else None
    if own:
        return f"{package} {own.versions.get(package.lower().replace('_', '-'), '')}".rstrip()
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


def _unknown(check: CheckSpec, engine: str) -> CheckResult:
    return check.result("not_evaluated", message=f"there is no engine '{engine}' (known: {', '.join(ENGINES)})")
