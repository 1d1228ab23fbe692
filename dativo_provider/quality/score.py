"""A run's quality as a share, never without the share of checks it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dativo_provider.model.checks import CheckResult

__all__ = ["Score", "score"]

_WEIGHTS = {"error": 2, "warning": 1, "info": 0}


@dataclass(frozen=True)
class Score:
    """`value` from 0 to 100 over the checks that were evaluated, weighted by severity; None when none was.
    `coverage` from 0 to 1 is the share of declared checks that were evaluated."""

    value: float | None
    coverage: float


def score(results: Sequence[CheckResult]) -> Score:
    """A check of rows scores the share of rows that pass it, any other 1 or 0."""
    declared = [result for result in results if result.severity != "info"]
    evaluated = [result for result in declared if result.outcome in ("passed", "failed")]
    weight = sum(_WEIGHTS[result.severity] for result in evaluated)
    points = sum(_WEIGHTS[result.severity] * _share(result) for result in evaluated)
    value = round(100 * points / weight, 2) if weight else None
    return Score(value, round(len(evaluated) / len(declared), 4) if declared else 1.0)


def _share(result: CheckResult) -> float:
    if result.outcome == "passed":
        return 1.0
    return 1 - result.failed / result.evaluated if result.evaluated_by == "stream" and result.evaluated else 0.0
