"""A metric against its last accepted value, in percent of that: -50 is half as much.

The last is that of the newest run that was published, or whose level somebody has accepted since.
"""

from __future__ import annotations

import math

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Measures, Scene, Values
from dativo_provider.quality.metrics.measured import (
    accepted_levels,
    current,
    earlier,
    measures,
    moment,
    named,
    stored,
)
from dativo_provider.vocabulary import Outcome

__all__ = ["EVALUATOR"]


def _measures(check: CheckSpec, scene: Scene) -> Measures:
    return measures(check, scene, [named(check.params["metric"])])


def _judge(check: CheckSpec, scene: Scene, values: Values) -> CheckResult:
    name = named(check.params["metric"])
    value, last = current(name, check, scene, values), _last(name, check, scene)
    facts = {"metrics": {stored(name, check): {"value": value}}}
    if value is None or last is None:
        message = f"there is no {name} of this run" if value is None else f"no earlier run left its {name}"
        return check.result("not_evaluated", evaluated=scene.rows, value=facts, message=message)
    percent = _percent(last, value)
    allowed = Threshold.from_dict(check.params["allowed"])
    message = f"{name} is {value:g}, {percent:+.4g} % of the {last:g} before; the change must be {allowed}"
    outcome: Outcome = "passed" if allowed.holds(percent, 100) else "failed"
    return check.result(outcome, "scan", scene.rows, 0, facts | {"percent": round(percent, 4)}, message)


def _last(name: str, check: CheckSpec, scene: Scene) -> float | None:
    key = stored(name, check)
    known = [(moment(point.at), point.plan_id, point.value) for point in earlier(name, check, scene, 1)]
    known += [(moment(each.data_time), each.run, each.levels[key]) for each in accepted_levels(key, scene)]
    return max(known)[2] if known else None


def _percent(before: float, after: float) -> float:
    if before == after:
        return 0.0
    return 100 * (after - before) / abs(before) if before else math.copysign(1e9, after)


EVALUATOR = Evaluator(_judge, _measures)
