"""Checks that need a tool or a function of the user's: all of one tool in one process of its own.

An engine is a leaf with `evaluate` and an entry of `ENGINES`. One that is not installed here evaluates nothing, and
says which command makes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

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
                answers = ENGINES[engine](its, scene, staged)
                found |= {each.id: answered(each, scene, answers.get(each.id, SILENT)) for each in its}
            else:
                found |= {each.id: _unknown(each, engine) for each in its}
    return found


def _unknown(check: CheckSpec, engine: str) -> CheckResult:
    return check.result("not_evaluated", message=f"there is no engine '{engine}' (known: {', '.join(ENGINES)})")
