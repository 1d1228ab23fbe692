"""A query that gives one number, held against `allowed`."""

from __future__ import annotations

import math
from decimal import Decimal

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, judged
from dativo_provider.quality.metrics.statement import answered, prepared

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    query = prepared(check)
    if not scene.rows:
        return check.result("skipped", message="there was no row to check")
    rows = answered(scene, query)
    if len(rows) != 1 or len(rows[0]) != 1:
        raise ConfigurationError("the query must give one number: one row of one column")
    value = rows[0][0]
    if value is None:
        return check.result("not_evaluated", message="the query gives NULL")
    if not isinstance(value, (int, float, Decimal)):
        raise ConfigurationError(f"the query must give one number, not a {type(value).__name__}")
    if not math.isfinite(value):
        raise ConfigurationError("the query's number is not finite; it divides by zero")
    return judged(check, int(value) if value == int(value) else float(value), scene, "scan", "the query's number")


EVALUATOR = Evaluator(_judge)
