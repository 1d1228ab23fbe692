"""Dataset checks over the rows of one run: what footers tell, one SELECT for the other aggregates of all of them, then
each on its own.

What this version cannot evaluate says so, and never passes. A check that cannot be evaluated costs one `error`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TypeVar

import duckdb

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality import engines
from dativo_provider.quality.metrics import EVALUATORS
from dativo_provider.quality.metrics.base import Measures, NoHistory, Scene, Values
from dativo_provider.quality.metrics.facts import told
from dativo_provider.quality.metrics.query import one_pass
from dativo_provider.quality.tools import DUCKDB
from dativo_provider.sql.names import quoted
from dativo_provider.vocabulary import Outcome

__all__ = ["evaluate"]

T = TypeVar("T")
Asked = Mapping[str, Measures]


@dataclass(frozen=True)
class _Fault:
    """Why a check could not be evaluated."""

    message: str
    outcome: Outcome = "error"


def evaluate(checks: Sequence[CheckSpec], scene: Scene) -> tuple[CheckResult, ...]:
    """A result for every dataset check, in order. Raises what `scene.read` does."""
    found = {check.id: made for check in checks if (made := _unlooked(check))}
    found |= engines.evaluate([c for c in checks if c.id not in found and engines.needs_engine(c)], scene)
    left = [check for check in checks if check.id not in found]
    began = perf_counter()
    asked = {check.id: _asked(check, scene) for check in left}
    known = told({name: each for name, each in asked.items() if isinstance(each, Measures)}, scene)
    values = known | _measured(scene, {name: each for name, each in asked.items() if name not in known})
    sharing = [name for name, value in values.items() if value and name not in known]
    share = (perf_counter() - began) / max(1, len(sharing))
    for check in left:
        before = share if check.id in sharing else 0.0
        found[check.id] = _timed(partial(_judged, check, scene, values[check.id]), before)
    return tuple(_by_footers(found[check.id]) if check.id in known else found[check.id] for check in checks)


def _by_footers(result: CheckResult) -> CheckResult:
    return replace(result, evaluated_by="stats", engine="") if result.evaluated_by == "scan" else result


def _timed(make: Callable[[], CheckResult], before: float = 0.0) -> CheckResult:
    """What `make` gives, with how long it took beside what was done before it, and by which DuckDB."""
    began = perf_counter()
    made = make()
    engine = DUCKDB if made.evaluated_by == "scan" else ""
    return replace(made, engine=engine, seconds=before + perf_counter() - began)


def _asked(check: CheckSpec, scene: Scene) -> Measures | _Fault:
    have = {field.name for field in scene.fields}
    for name in check.columns:
        if have and name not in have and not name.startswith("_dativo_"):
            return _Fault(f"there is no column '{name}' (has: {', '.join(have)})")
    return _attempt(lambda: EVALUATORS[check.kind].measures(check, scene))


def _unlooked(check: CheckSpec) -> CheckResult | None:
    if reason := check.params.get("skipped"):
        return check.result("skipped", message=reason)
    if reason := check.params.get("not_evaluated"):
        return check.result("not_evaluated", message=_with_engine(check, reason))
    if check.kind not in EVALUATORS and not engines.needs_engine(check):
        return check.result("not_evaluated", message=f"this version does not evaluate {check.kind} checks")
    return None


def _with_engine(check: CheckSpec, reason: str) -> str:
    return f"{reason} (engine: {check.engine})" if check.engine and check.engine not in reason else reason


def _measured(scene: Scene, asked: Mapping[str, Measures | _Fault]) -> dict[str, Values | _Fault]:
    """The values each check asked for; where the SELECT for all of them fails, one by one."""
    wanted = {name: each for name, each in asked.items() if isinstance(each, Measures) and each.aggregates}
    values: dict[str, Values | _Fault] = {
        name: each if isinstance(each, _Fault) else {} for name, each in asked.items()
    }
    if not wanted or not scene.rows:
        return values
    together = _attempt(partial(_select, scene, wanted))
    return values | (_one_by_one(scene, wanted) if isinstance(together, _Fault) else together)


def _one_by_one(scene: Scene, asked: Asked) -> dict[str, Values | _Fault]:
    found: dict[str, Values | _Fault] = {}
    for name, each in asked.items():
        alone = _attempt(partial(_select, scene, {name: each}))
        found[name] = alone if isinstance(alone, _Fault) else alone[name]
    return found


def _select(scene: Scene, asked: Asked) -> dict[str, Values]:
    columns = frozenset[str]().union(*(each.columns for each in asked.values()))
    terms = {(name, key): sql for name, each in asked.items() for key, sql in each.aggregates.items()}
    listed = ", ".join(f"{sql} AS {quoted(f'v{at}')}" for at, sql in enumerate(terms.values()))
    row = one_pass(scene, columns, f"SELECT {listed} FROM staged")
    found: dict[str, dict[str, object]] = {name: {} for name in asked}
    for at, (name, key) in enumerate(terms):
        found[name][key] = row.get(f"v{at}")
    return dict(found)


def _judged(check: CheckSpec, scene: Scene, values: Values | _Fault) -> CheckResult:
    made: CheckResult | _Fault = values if isinstance(values, _Fault) else _judgement(check, scene, values)
    return check.result(made.outcome, evaluated=scene.rows, message=made.message) if isinstance(made, _Fault) else made


def _judgement(check: CheckSpec, scene: Scene, values: Values) -> CheckResult | _Fault:
    return _attempt(lambda: EVALUATORS[check.kind].judge(check, scene, values))


def _attempt(make: Callable[[], T]) -> T | _Fault:
    """What a check is not at fault for (storage that does not answer) is the run's trouble, and raised."""
    try:
        return make()
    except NoHistory as away:
        return _Fault(away.message, "not_evaluated")
    except ConfigurationError as error:
        return _Fault(error.message + (f"; {error.remedy}" if error.remedy else ""))
    except duckdb.Error as error:
        return _Fault(_said(error))


def _said(error: duckdb.Error) -> str:
    """Of names and syntax DuckDB may speak; its text about anything else may quote values of rows."""
    if isinstance(error, (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)):
        return str(error).partition("\n")[0]
    return str(error).partition(":")[0]
