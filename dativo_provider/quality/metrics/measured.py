"""Metrics by name: `rows`, or `<word>(<column>)` as `mean(amount)`; what they are now, and what they were.

A check that measures keeps its numbers in its result's `value`, from where a published run hands them to history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.acceptance import Acceptance
from dativo_provider.model.checks import CheckResult, CheckSpec, Verdict
from dativo_provider.model.run import data_time
from dativo_provider.model.stream import Field
from dativo_provider.quality.metrics.base import Measures, Scene, Values
from dativo_provider.quality.metrics.where import condition, read_by
from dativo_provider.quality.profile.terms import kind_of, metric_sql

if TYPE_CHECKING:
    from dativo_provider.store import MetricPoint

__all__ = ["FLAG", "ROWS", "accepted_levels", "beyond_history", "current", "earlier", "history_of",
    "leaves_its_history", "measures", "moment", "named", "stored", "time_of",
]  # fmt: skip

ROWS = "rows"
_SAME = {"rows_accepted": ROWS, "row_count": ROWS}
FLAG = "anomaly"  # `anomaly(<metric>)` is 1 where the run's value was out of the ordinary, else 0
_OF_COLUMN = re.compile(r"(\w+)\((.+)\)")
_ROWS_IN_STORE = "rows_accepted"  # which every published run leaves


def measures(check: CheckSpec, scene: Scene, metrics: Sequence[str]) -> Measures:
    """Raises `ConfigurationError` for a metric that is none, or of a column the rows do not have."""
    parts = {name: _parts(name, check, scene) for name in metrics if name != ROWS}
    where = condition(check) if check.where else ""
    aggregates = {name: metric_sql(word, column, where) for name, (word, column) in parts.items()}
    if where and ROWS in metrics:
        aggregates[ROWS] = f"count(*) FILTER (WHERE {where})"
    exact = {name: part for name, part in parts.items() if not where and _exact(*part)}
    facts = {name: (word, column.name) for name, (word, column) in exact.items()}
    return Measures(read_by(check, scene, *(column.name for _, column in parts.values())), aggregates, facts)


def _exact(word: str, column: Field) -> bool:
    """Whether footers have the very number; those of decimals are not rounded as doubles are."""
    return word == "null_share" or kind_of(column) in ("int", "long")


def named(metric: str) -> str:
    """The metric by its one name."""
    return _SAME.get(metric, metric)


def _parts(name: str, check: CheckSpec, scene: Scene) -> tuple[str, Field]:
    found = _OF_COLUMN.fullmatch(name)
    column = next((field for field in scene.fields if found and field.name == found[2]), None)
    if found is None or column is None:
        raise ConfigurationError(
            f"there is no metric '{name}'", where=check.declared_in,
            remedy=f"write {ROWS}, or a word and a column such as mean(amount); the columns are "
            + ", ".join(field.name for field in scene.fields),
        )  # fmt: skip
    return found[1], column


def current(name: str, check: CheckSpec, scene: Scene, values: Values) -> float | None:
    """None where no row has a value."""
    if name == ROWS:
        return float(values.get(ROWS) or 0 if check.where else scene.books.accepted)
    value = values.get(name)
    return None if value is None else float(value)


def earlier(name: str, check: CheckSpec, scene: Scene, most: int) -> Sequence[MetricPoint]:
    """What published runs left of it, newest first."""
    return scene.history(stored(name, check), most)


def time_of(scene: Scene) -> datetime:
    """What time the rows under judgement are of."""
    return moment(data_time(scene.plan.window, scene.plan.created_at)) if scene.plan else scene.now


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def accepted_levels(key: str, scene: Scene) -> list[Acceptance]:
    """Those of the metric stored as `key` up to the time of the rows, oldest first."""
    until = time_of(scene)
    found = [each for each in scene.accepted() if key in each.levels and moment(each.data_time) <= until]
    return sorted(found, key=lambda each: (moment(each.data_time), each.run, each.id))


def stored(name: str, check: CheckSpec) -> str:
    """Its name in history. With `where` it is another number, known by the check."""
    if check.where:
        return f"{name}@{check.id}"
    return _ROWS_IN_STORE if name == ROWS else name


def history_of(results: Iterable[CheckResult]) -> dict[str, float]:
    """Numbers of a published run's results that become history."""
    found: dict[str, float] = {}
    for result in results:
        for name, facts in _measured(result).items():
            if isinstance(facts.get("value"), int | float):
                found[name] = float(facts["value"])
                if "anomalous" in facts:
                    found[f"{FLAG}({name})"] = float(facts["anomalous"])
    return {name: value for name, value in found.items() if name != _ROWS_IN_STORE}


def beyond_history(result: CheckResult) -> dict[str, float]:
    """What a failed check measured that does not fit the history, by its name there."""
    if result.outcome != "failed":
        return {}
    found = {n: f.get("value") for n, f in _measured(result).items() if f.get("anomalous", True)}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def leaves_its_history(verdict: Verdict) -> bool:
    """Whether it blocks, also, because of a level that somebody may accept."""
    return any(result.on_violation == "block" and beyond_history(result) for result in verdict.results)


def _measured(result: CheckResult) -> Mapping[str, Mapping[str, Any]]:
    metrics = result.value.get("metrics", {}) if isinstance(result.value, Mapping) else {}
    return metrics if isinstance(metrics, Mapping) else {}
