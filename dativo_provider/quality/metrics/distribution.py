"""How the values of a column are shared out, against what is expected: Σ (a - e)·ln(a / e) (PSI), Σ a·ln(a / e)
(KL), or the largest gap.

Values that are not expected share what the expected shares leave. PSI of few rows is noise: below 50 rows for each
share it is not told (research: under no drift its mean is about (shares - 1) / rows).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.metrics.base import Evaluator, Measures, Scene, Values, passed
from dativo_provider.quality.metrics.where import filtered, read_by
from dativo_provider.sql.names import literal, quoted

__all__ = ["EVALUATOR"]

_ROWS_PER_SHARE = 50
_LEAST = 1e-4  # a share of nothing has no logarithm


def _measures(check: CheckSpec, scene: Scene) -> Measures:
    column = quoted(check.columns[0])
    counts = {str(at): filtered("count(*)", check, one) for at, one in enumerate(_parts(check, column))}
    known = filtered(f"count({column})", check)
    return Measures(read_by(check, scene, check.columns[0]), {"known": known, **counts})


def _parts(check: CheckSpec, column: str) -> list[str]:
    """A condition for each expected share."""
    edges = check.params.get("edges")
    if edges is None:
        return [f"{column} = {literal(value)}" for value in check.params["shares"]]
    at = [literal(edge) for edge in edges]
    lows, highs = [None, *at], [*at, None]
    return [
        " AND ".join([*([f"{column} >= {low}"] if low else []), *([f"{column} < {high}"] if high else [])])
        for low, high in zip(lows, highs, strict=True)
    ]


def _judge(check: CheckSpec, scene: Scene, values: Values) -> CheckResult:
    if not scene.rows:
        return check.result("skipped", message="there was no row to check")
    shares, measure, known = _expected(check), check.params.get("measure", "max_deviation"), values["known"]
    if not known or (measure == "psi" and known < _ROWS_PER_SHARE * len(shares)):
        return check.result("not_evaluated", message=f"{known} values are too few to tell how they are shared out")
    counts = [int(values[str(at)]) for at in range(len(shares))]
    expected, found = [*shares, max(0.0, 1 - sum(shares))], [count / known for count in (*counts, known - sum(counts))]
    distance, most = _DISTANCES[measure](expected, found), check.params["max"]
    message = f"the {measure} of {check.columns[0]} is {distance:.4g}, at most {most} is allowed"
    return check.result(passed(distance <= most), "scan", scene.rows, 0, distance, message)


def _expected(check: CheckSpec) -> list[float]:
    shares = check.params["shares"]
    return list(shares.values() if isinstance(shares, Mapping) else shares)


def _psi(expected: Sequence[float], found: Sequence[float]) -> float:
    pairs = [(max(e, _LEAST), max(a, _LEAST)) for e, a in zip(expected, found, strict=True)]
    return sum((a - e) * math.log(a / e) for e, a in pairs)


def _kl(expected: Sequence[float], found: Sequence[float]) -> float:
    """A value that is not expected at all is infinitely far."""
    pairs = [(e, a) for e, a in zip(expected, found, strict=True) if a]
    return sum(a * math.log(a / e) for e, a in pairs) if all(e for e, _ in pairs) else math.inf


def _max_deviation(expected: Sequence[float], found: Sequence[float]) -> float:
    return max(abs(a - e) for e, a in zip(expected, found, strict=True))


_DISTANCES: Mapping[str, Callable[[Sequence[float], Sequence[float]], float]] = {
    "psi": _psi, "kl": _kl, "max_deviation": _max_deviation,
}  # fmt: skip

EVALUATOR = Evaluator(_judge, _measures)
