"""A query that gives the rows that fail; how many may be is `allowed`, or `tolerance`, else none."""

from __future__ import annotations

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, judged, passed
from dativo_provider.quality.metrics.statement import answered, prepared

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    query = prepared(check)
    if not scene.rows:
        return check.result("skipped", message="there was no row to check")
    failed = int(answered(scene, query, "SELECT count(*) FROM (\n{0}\n) AS failing")[0][0])
    if "allowed" in check.params:
        return judged(check, failed, scene, "scan", "the number of rows that fail", failed)
    fits = check.tolerates(failed, scene.rows)
    message = f"{failed} of {scene.rows} rows fail" if failed else ""
    return check.result(passed(fits), "scan", scene.rows, failed, failed, message)


EVALUATOR = Evaluator(_judge)
