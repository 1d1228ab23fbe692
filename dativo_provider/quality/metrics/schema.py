"""The columns themselves: names, types, order, number. It needs no row."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, passed

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    if not scene.fields:
        return check.result("not_evaluated", message="the columns are not known")
    wrong = list(_wrong(check, scene))
    return check.result(
        passed(not wrong), "stats", failed=len(wrong), value=len(scene.fields), message="; ".join(wrong)
    )


def _wrong(check: CheckSpec, scene: Scene) -> Iterator[str]:
    have, types = [item.name for item in scene.fields], {item.name: item.type for item in scene.fields}
    wanted = list(check.params.get("names") or check.params.get("types") or ())
    yield from (f"there is no column '{name}'" for name in wanted if name not in types)
    for name, kind in (check.params.get("types") or {}).items():
        if name in types and types[name] != kind:
            yield f"'{name}' is {types[name]} and not {kind}"
    if check.params.get("others") is False:
        yield from (f"there is a column '{name}' more" for name in have if name not in wanted)
    if check.params.get("order") and (order := [name for name in have if name in wanted]) != [
        name for name in wanted if name in types
    ]:
        yield f"the columns come in the order {', '.join(order)}"
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        if not allowed.holds(len(have), len(have)):
            yield f"there are {len(have)} columns, must be {allowed}"


EVALUATOR = Evaluator(_judge)
