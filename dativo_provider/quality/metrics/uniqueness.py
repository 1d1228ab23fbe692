"""Rows that repeat the key of another row: of this run, and with `scope: table` of what was published before.

A row with NULL in a column of the key has no key.
"""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, passed, result
from dativo_provider.quality.metrics.published import known_keys
from dativo_provider.quality.metrics.query import one_pass
from dativo_provider.quality.metrics.where import read_by, those_that_count
from dativo_provider.sql.names import quoted

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    published = check.params.get("scope") == "table"
    if published and (reason := _no_scope(scene)):
        return result(check, "not_evaluated", message=reason)
    surplus = _surplus(check, scene) if scene.rows else 0
    known = known_keys(check, scene) if published and scene.rows and _adds(scene) else 0
    failed, key = surplus + known, ", ".join(check.columns)
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        fits, message = allowed.holds(failed, scene.rows), f"{failed} rows too many, must be {allowed}"
    else:
        fits = failed <= check.tolerance * scene.rows
        parts = [f"{surplus} rows repeat the {key} of another row of this run"] if surplus else []
        parts += [f"{known} rows have a {key} that is published already"] if known else []
        message = "; ".join(parts)
    return result(check, passed(fits), "scan", scene.rows, failed, failed, message)


def _no_scope(scene: Scene) -> str:
    """Where rows replace what is published under their key, a key that is there already is nothing wrong."""
    if scene.plan is None:
        return ""
    traits = TRAITS[scene.plan.job.target.mode]
    mode = scene.plan.job.target.mode
    return "" if traits.adds or traits.reads_all else f"in mode {mode} rows may bring a published key once more"


def _adds(scene: Scene) -> bool:
    return scene.plan is None or TRAITS[scene.plan.job.target.mode].adds


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
