"""Is a run like the ones before it? Each metric against the band its history expects (`quality.anomaly`).

Without `metric` and column these are the rows and the mean of every numeric column that is no key. With a numeric
column it is that column's mean, and no single row of the run may lie far out: further from the mean than `sigmas` (3)
standard deviations, and further than chance puts one row of so many in one of a hundred runs. A `tolerance` is the
share of rows that may lie beyond `sigmas` instead.

The rows of the run need no history, the metrics eight accepted runs: until then they are `not_evaluated`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.anomaly import LEAST, METHODS, Band, Point, detect
from dativo_provider.quality.metrics.base import Evaluator, Measures, NoHistory, Scene, Values
from dativo_provider.quality.metrics.measured import (
    FLAG,
    ROWS,
    accepted_levels,
    current,
    measures,
    moment,
    named,
    stored,
    time_of,
)
from dativo_provider.quality.metrics.query import one_pass
from dativo_provider.quality.metrics.where import condition, read_by
from dativo_provider.quality.profile.terms import NUMERIC, kind_of, number
from dativo_provider.vocabulary import EvaluatedBy, Outcome

__all__ = ["EVALUATOR"]

_MOST = 200  # points of history
_SHOWN = 5
_BY_CHANCE = 0.01  # of runs in which a row would lie so far out


@dataclass(frozen=True)
class _Judged:
    """One metric. `band` is the number of points while these are too few."""

    name: str
    value: float
    band: Band | int

    @property
    def anomalous(self) -> bool:
        return isinstance(self.band, Band) and not self.band.holds(self.value)

    def facts(self) -> dict[str, Any]:
        if isinstance(self.band, int):
            return {"value": self.value, "learning": self.band}
        expected = {"expected": self.band.expected, "low": self.band.low, "high": self.band.high, "how": self.band.how}
        return {"value": self.value, **expected, "anomalous": self.anomalous}

    def __str__(self) -> str:
        if isinstance(self.band, int):
            return f"{self.name} has {self.band} of {LEAST} runs"
        band = f"{_short(self.band.low)} to {_short(self.band.high)}"
        return f"{self.name} is {_short(self.value)}, expected {band} ({self.band.how})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _metrics(check: CheckSpec, scene: Scene) -> list[str]:
    if asked := check.params.get("metric"):
        return [named(each) for each in ([asked] if isinstance(asked, str) else asked)]
    if check.columns:
        return [f"mean({name})" for name in check.columns]
    keys = set(scene.plan.spec.identity) if scene.plan else set()
    numeric = [field.name for field in scene.fields if kind_of(field) in NUMERIC and field.name not in keys]
    return [ROWS, *(f"mean({name})" for name in numeric)]


def _rowwise(check: CheckSpec) -> str:
    """The column whose single rows are looked at."""
    if len(check.columns) != 1 or check.params.get("metric"):
        return ""
    return check.columns[0]


def _measures(check: CheckSpec, scene: Scene) -> Measures:
    method = check.params.get("method") or "auto"
    if method not in METHODS:
        raise ConfigurationError(
            f"there is no method '{method}'", where=check.declared_in, remedy=f"use one of {', '.join(METHODS)}"
        )
    metrics = _metrics(check, scene)
    column = _rowwise(check)
    return measures(check, scene, [*metrics, f"stddev({column})"] if column else metrics)


def _judge(check: CheckSpec, scene: Scene, values: Values) -> CheckResult:
    judged, away = _against_all(check, scene, values)
    beyond, far = _beyond(check, scene, values)
    facts = {"metrics": {stored(each.name, check): each.facts() for each in judged}}
    outcome = _outcome(judged, beyond, far, check, scene)
    if away and outcome != "failed":
        outcome = "not_evaluated"
    sentences = [*_sentences(judged, beyond, far, check), *away]
    by: EvaluatedBy = "none" if outcome == "not_evaluated" else "scan"
    return check.result(outcome, by, scene.rows, beyond, facts, "; ".join(sentences))


def _against_all(check: CheckSpec, scene: Scene, values: Values) -> tuple[list[_Judged], list[str]]:
    """Every metric that has a value, and why none could be judged."""
    found = {name: current(name, check, scene, values) for name in _metrics(check, scene)}
    try:
        return [_against_history(n, value, check, scene) for n, value in found.items() if value is not None], []
    except NoHistory as away:
        return [], [away.message]


def _against_history(name: str, value: float, check: CheckSpec, scene: Scene) -> _Judged:
    at = time_of(scene)
    key = stored(name, check)
    accepted = accepted_levels(key, scene)
    flags = {point.plan_id for point in scene.history(f"{FLAG}({key})", _MOST) if point.value}
    flags -= {each.run for each in accepted}
    found = sorted((moment(point.at), point.value, point.plan_id) for point in scene.history(key, _MOST))
    before = [each for each in found if each[0] < at]
    points = [Point(when, known) for when, known, _ in before]
    flagged = [plan in flags for _, _, plan in before]
    levels = [Point(moment(each.data_time), each.levels[key]) for each in accepted]
    method = check.params.get("method") or "auto"
    return _Judged(name, value, detect(points, flagged, at, method, check.params.get("sigmas"), levels))


def _beyond(check: CheckSpec, scene: Scene, values: Values) -> tuple[int, float]:
    """Rows far from the column's mean, and how many standard deviations far means."""
    column = _rowwise(check)
    mean, deviation = (values.get(f"{word}({column})") for word in ("mean", "stddev"))
    if not column or not deviation or scene.rows < LEAST:
        return 0, 0.0
    far = float(check.params.get("sigmas") or 3.0)
    if not check.tolerance:
        far = max(far, NormalDist().inv_cdf(1 - _BY_CHANCE / (2 * scene.rows)))
    field = next(field for field in scene.fields if field.name == column)
    where = f" AND {condition(check)}" if check.where else ""
    query = f"SELECT count(*) AS n FROM staged WHERE abs({number(field)} - ({mean!r})) > {far * deviation!r}{where}"
    return int(one_pass(scene, read_by(check, scene, column), query).get("n", 0)), far


def _outcome(judged: Sequence[_Judged], beyond: int, far: float, check: CheckSpec, scene: Scene) -> Outcome:
    if any(each.anomalous for each in judged) or not check.tolerates(beyond, scene.rows):
        return "failed"
    return "passed" if far or any(isinstance(each.band, Band) for each in judged) else "not_evaluated"


def _sentences(judged: Sequence[_Judged], beyond: int, far: float, check: CheckSpec) -> list[str]:
    odd = [each for each in judged if each.anomalous]
    found = [str(each) for each in odd[:_SHOWN]]
    if len(odd) > _SHOWN:
        found.append(f"{len(odd) - _SHOWN} further metrics are out of the ordinary")
    if beyond:
        found.append(f"{beyond} rows lie more than {far:.2g} standard deviations from the mean of {check.columns[0]}")
    learning = [each for each in judged if isinstance(each.band, int)]
    if learning and not odd:
        found.append(f"learning: {learning[0]}")
    return found


EVALUATOR = Evaluator(_judge, _measures)
