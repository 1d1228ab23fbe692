"""Rows that repeat the key of another row of the run. A row with NULL in a column of the key has no key."""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, passed, result
from dativo_provider.quality.metrics.query import one_pass
from dativo_provider.quality.metrics.where import read_by, those_that_count
from dativo_provider.sql.names import quoted

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    if check.params.get("scope") == "table":
        return result(check, "not_evaluated", message="rows that are published already were not looked at")
    surplus = _surplus(check, scene) if scene.rows else 0
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        fits, message = allowed.holds(surplus, scene.rows), f"{surplus} rows too many, must be {allowed}"
    else:
        fits = surplus <= check.tolerance * scene.rows
        message = f"{surplus} rows repeat the {', '.join(check.columns)} of another row of this run" if surplus else ""
    return result(check, passed(fits), "scan", scene.rows, surplus, surplus, message)


def _surplus(check: CheckSpec, scene: Scene) -> int:
    """Rows beyond the first of each key. Hashes of 8 bytes first: when they differ, so do the keys."""
    keys = [quoted(name) for name in check.columns]
    if not _repeats(check, scene, f"hash({', '.join(keys)})", keys):
        return 0
    return _repeats(check, scene, ", ".join(keys), keys)


def _repeats(check: CheckSpec, scene: Scene, group: str, keys: Sequence[str]) -> int:
    whole = those_that_count(check, *(f"{key} IS NOT NULL" for key in keys))
    groups = f"SELECT count(*) AS n FROM staged {whole} GROUP BY {group} HAVING count(*) > 1"
    found = one_pass(
        scene, read_by(check, scene, *check.columns), f"SELECT coalesce(sum(n - 1), 0)::BIGINT AS n FROM ({groups})"
    )
    return int(found.get("n", 0))


EVALUATOR = Evaluator(_judge)
