"""A run's quality as a share, never without the share of checks it rests on, nor without what nobody checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.stream import Field

__all__ = ["GOAL", "Score", "Scorecard", "score", "scorecard"]

GOAL = 95.0
_WEIGHTS = {"error": 2, "warning": 1, "info": 0}


@dataclass(frozen=True)
class Score:
    """`value` from 0 to 100 over the checks that were evaluated, weighted by severity; None when none was.
    `coverage` from 0 to 1 is the share of declared checks that were evaluated."""

    value: float | None
    coverage: float

    @property
    def reached(self) -> bool:
        """Above the goal, with nothing declared left unlooked at."""
        return self.value is not None and self.value > GOAL and self.coverage == 1


@dataclass(frozen=True)
class Scorecard:
    """The whole and its parts. `unchecked` are columns of which no evaluated check says more than that they have their
    type; `columns_covered` is the share of all others."""

    total: Score
    dimensions: Mapping[str, Score] = field(default_factory=dict)
    columns: Mapping[str, Score] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    columns_covered: float = 1.0

    def metrics(self) -> dict[str, float]:
        """Numbers for history: `score`, `score_coverage`, `score_columns_covered`, `score_dimension(completeness)`."""
        whole = {"score": self.total.value, "score_coverage": self.total.coverage}
        whole["score_columns_covered"] = self.columns_covered
        parts = {f"score_dimension({name})": each.value for name, each in self.dimensions.items()}
        return {name: value for name, value in (whole | parts).items() if value is not None}


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


def scorecard(results: Sequence[CheckResult], checks: Sequence[CheckSpec], fields: Sequence[Field]) -> Scorecard:
    known = {check.id: check for check in checks}
    dimensions, columns = defaultdict[str, list[CheckResult]](list), defaultdict[str, list[CheckResult]](list)
    covered: set[str] = set()
    for result in results:
        check = known.get(result.check_id)
        if check is None:
            continue
        dimensions[check.dimension or "other"].append(result)
        for name in check.columns:
            columns[name].append(result)
        if check.kind != "type" and result.outcome in ("passed", "failed"):
            covered |= set(check.columns)
    unchecked = tuple(each.name for each in fields if each.name not in covered)
    return Scorecard(
        score(results),
        {name: score(found) for name, found in sorted(dimensions.items())},
        {each.name: score(columns[each.name]) for each in fields if each.name in columns},
        unchecked,
        round(1 - len(unchecked) / len(fields), 4) if fields else 1.0,
    )
