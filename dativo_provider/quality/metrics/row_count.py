"""How many rows the run brings, from its books; with `where`, how many of them meet it."""

from __future__ import annotations

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Measures, Scene, Values, passed
from dativo_provider.quality.metrics.where import filtered, read_by
from dativo_provider.vocabulary import EvaluatedBy

__all__ = ["EVALUATOR"]


def _measures(check: CheckSpec, scene: Scene) -> Measures:
    if not check.where:
        return Measures()
    return Measures(read_by(check, scene), {"rows": filtered("count(*)", check)})


def _judge(check: CheckSpec, scene: Scene, values: Values) -> CheckResult:
    rows = int(values.get("rows") or 0) if check.where else scene.books.produced
    allowed = Threshold.from_dict(check.params["allowed"])
    fits = allowed.holds(rows, scene.rows)
    message = f"{rows} rows{f' where {check.where}' if check.where else ''}, must be {allowed}"
    by: EvaluatedBy = "scan" if check.where else "stats"
    return check.result(passed(fits), by, scene.rows, 0, rows, message)


EVALUATOR = Evaluator(_judge, _measures)
