"""Rows that repeat the key of another row: of this run, and with `scope: table` of what was published before.

A row with NULL in a column of the key has no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, passed
from dativo_provider.quality.metrics.dense import surplus
from dativo_provider.quality.metrics.published import known_keys
from dativo_provider.quality.metrics.query import one_pass
from dativo_provider.quality.metrics.where import read_by, those_that_count
from dativo_provider.sql.names import quoted
from dativo_provider.vocabulary import WriteMode

__all__ = ["EVALUATOR", "Repeats", "lint_scopes", "repeats", "told"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    """To set a batch aside is to block it: single rows are, where they can be, before the run is judged as a whole."""
    if scene.plan and (reason := _unscoped(check, scene.plan.job.target.mode, scene.plan.spec.identity)):
        return check.result("not_evaluated", message=reason)
    found = repeats(check, scene)
    failed = found.failed
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        fits, message = allowed.holds(failed, scene.rows), f"{failed} rows too many, must be {allowed}"
    else:
        fits, message = check.tolerates(failed, scene.rows), told(check, found)
    made = check.result(passed(fits), "scan", scene.rows, failed, failed, message)
    return replace(made, on_violation="block") if check.on_violation == "quarantine" else made


@dataclass(frozen=True)
class Repeats:
    """Rows that repeat the key of another row of the run, keys of the run that are published already, and where those
    were looked for."""

    surplus: int = 0
    known: int = 0
    looked: str = ""

    @property
    def failed(self) -> int:
        return self.surplus + self.known


def repeats(check: CheckSpec, scene: Scene) -> Repeats:
    if not scene.rows:
        return Repeats()
    published = check.params.get("scope") == "table" and _adds(scene)
    return Repeats(_surplus(check, scene), *(known_keys(check, scene) if published else (0, "")))


def told(check: CheckSpec, found: Repeats) -> str:
    key = ", ".join(check.columns)
    parts = [f"{found.surplus} rows repeat the {key} of another row of this run"] if found.surplus else []
    parts += [f"{found.known} rows have a key ({key}) that is published already"] if found.known else []
    return "; ".join([*parts, *([found.looked] if found.looked else [])])


def lint_scopes(checks: Iterable[CheckSpec], mode: WriteMode, key: Sequence[str]) -> list[ConfigurationError]:
    """Checks of `scope: table` that no run of this mode can judge, for `validate`."""
    return [
        ConfigurationError(
            f"check '{check.name}': {reason}",
            where=check.declared_in,
            remedy="leave out `scope: table`: the rows of each run are judged among themselves",
        )
        for check in checks
        if check.kind == "uniqueness" and (reason := _unscoped(check, mode, key))
    ]


def _unscoped(check: CheckSpec, mode: WriteMode, key: Sequence[str]) -> str:
    """Why `scope: table` cannot be judged; empty where it can. A merge itself sees to one row of each key, and so to
    whatever the key is a part of."""
    traits = TRAITS[mode]
    if check.params.get("scope") != "table" or traits.adds or traits.reads_all:
        return ""
    if traits.keyed and not traits.history and key and set(key) <= set(check.columns):
        return ""
    return (
        f"scope: table cannot be judged in mode {mode}: rows may bring a published key once more, "
        "and which of the published rows they replace is settled by the commit"
    )


def _adds(scene: Scene) -> bool:
    return scene.plan is None or TRAITS[scene.plan.job.target.mode].adds


def _surplus(check: CheckSpec, scene: Scene) -> int:
    """Rows beyond the first of each key. Hashes of 8 bytes first: when they differ, so do the keys."""
    if not check.where and (counted := surplus(check.columns, scene)) is not None:
        return counted
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
