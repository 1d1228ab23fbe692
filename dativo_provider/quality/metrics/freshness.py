"""How old the newest row is. What the run does not bring may be known from its cursor: the verdict looks there."""

from __future__ import annotations

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.age import judge_age
from dativo_provider.quality.metrics.base import Evaluator, Measures, Scene, Values
from dativo_provider.quality.metrics.where import filtered, read_by
from dativo_provider.sql.names import quoted

__all__ = ["EVALUATOR"]


def _measures(check: CheckSpec, scene: Scene) -> Measures:
    column = check.columns[0]
    facts = {} if check.where else {"newest": ("max", column)}
    return Measures(read_by(check, scene, column), {"newest": filtered(f"max({quoted(column)})", check)}, facts)


def _judge(check: CheckSpec, scene: Scene, values: Values) -> CheckResult:
    return judge_age(check, values.get("newest"), scene.now, "scan")


EVALUATOR = Evaluator(_judge, _measures)
