"""Results of slices and steps, added up per check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dativo_provider.model.checks import CheckResult
from dativo_provider.vocabulary import Outcome

__all__ = ["merge"]

# the first of these that any part reports is the outcome of the whole
_WORST_FIRST: tuple[Outcome, ...] = ("error", "failed", "not_evaluated", "passed", "skipped")


def merge(parts: Iterable[Sequence[CheckResult]]) -> tuple[CheckResult, ...]:
    """One result per check, in order of first mention. What is wrong in one part is wrong in the whole."""
    whole: dict[str, CheckResult] = {}
    for part in parts:
        for result in part:
            before = whole.get(result.check_id)
            whole[result.check_id] = result if before is None else _sum(before, result)
    return tuple(whole.values())


def _sum(one: CheckResult, other: CheckResult) -> CheckResult:
    worse = min(one, other, key=lambda result: _WORST_FIRST.index(result.outcome))
    return replace(
        worse,
        evaluated=one.evaluated + other.evaluated,
        failed=one.failed + other.failed,
        engine=worse.engine or one.engine or other.engine,
        seconds=one.seconds + other.seconds,
    )
