"""One decision per run, from the results of its checks and its books.

| outcome         | severity error                       | warning, info                        |
|-----------------|--------------------------------------|--------------------------------------|
| passed, skipped | nothing                              | nothing                              |
| failed          | what the check's `on_violation` says | what the check's `on_violation` says |
| error           | `on_error`: block, or warn           | warn                                 |
| not_evaluated   | `on_not_evaluated`: warn, or block   | nothing                              |

A failed freshness check of severity error lets the rows publish and fails the run afterwards, unless it blocks.
Where the contract only warns (`enforcement_mode: warn`), nothing of this blocks.
Rejected rows (no row at all) make it `quarantine`; under `schema_validation_mode: strict` they block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec, Verdict
from dativo_provider.model.run import Plan
from dativo_provider.quality.age import judge_age
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.vocabulary import Decision

__all__ = ["decide"]

_MILDEST_FIRST: tuple[Decision, ...] = ("pass", "warn", "quarantine", "block")
Finding = tuple[Decision, str]


def decide(plan: Plan, results: Sequence[CheckResult], books: Books, now: datetime) -> Verdict:
    """The verdict over `results` (merged over the run), with a sentence for everything that is not in order."""
    checks = {check.id: check for check in plan.checks}
    judged = tuple(_judge(checks.get(result.check_id), result, plan, now) for result in results)
    findings = [*_of_checks(judged, checks, _doubts(plan)), *_of_books(plan, books)]
    worst: Decision = max((decision for decision, _ in findings), key=_MILDEST_FIRST.index, default="pass")
    stale = [result for result in judged if _stale(result, checks)]
    return Verdict(
        decision=worst,
        results=judged,
        reasons=tuple(sentence for _, sentence in sorted(findings, key=_gravest)),
        fails_after=tuple(f"'{result.name}': {result.message}" for result in stale),
    )


def _gravest(finding: Finding) -> int:
    return -_MILDEST_FIRST.index(finding[0])


def _judge(check: CheckSpec | None, result: CheckResult, plan: Plan, now: datetime) -> CheckResult:
    """Decide what only the whole run can decide."""
    if check is None:
        return result
    if check.kind == "freshness":
        return _judge_freshness(check, result, plan, now)
    if check.scope == "row" and result.outcome == "failed":
        return _judge_count(check, result)
    return result


def _judge_count(check: CheckSpec, result: CheckResult) -> CheckResult:
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        fits, bound = allowed.holds(result.failed, result.evaluated), str(allowed)
    elif check.tolerance:
        fits, bound = check.tolerates(result.failed, result.evaluated), f"≤ {check.tolerance * 100:g} %"
    else:
        return result
    message = f"{result.failed} of {result.evaluated} rows fail, must be {bound}"
    return replace(result, outcome="passed" if fits else "failed", message=message)


def _judge_freshness(check: CheckSpec, result: CheckResult, plan: Plan, now: datetime) -> CheckResult:
    """Old rows are what a backfill is for; a run without rows leaves the table as new as its cursor."""
    if plan.lane.kind != "live" and result.outcome != "skipped":
        return replace(result, outcome="skipped", message=f"not judged in a {plan.lane.kind}")
    if result.outcome != "not_evaluated" or "not_evaluated" in check.params:
        return result
    reached = _reached(plan, check.columns[0])
    return result if reached is None else judge_age(check, reached, now)


def _reached(plan: Plan, column: str) -> datetime | None:
    """The newest moment that the source has shown, where its reader keeps that apart from where the window ended."""
    cursor: Any = plan.base.cursor.value if plan.base.cursor else {}
    if cursor.get("column") != column:
        return None
    try:
        return datetime.fromisoformat(str(cursor.get("newest") or cursor.get("value")))
    except ValueError:
        return None


def _stale(result: CheckResult, checks: dict[str, CheckSpec]) -> bool:
    check = checks.get(result.check_id)
    is_freshness = check is not None and check.kind == "freshness"
    return is_freshness and result.outcome == "failed" and result.severity == "error" and result.on_violation != "block"


@dataclass(frozen=True)
class Doubts:
    """What a check of severity error does of which nobody knows whether it holds."""

    error: Decision = "block"
    not_evaluated: Decision = "warn"


def _doubts(plan: Plan) -> Doubts:
    if plan.job.enforcement != "strict":
        return Doubts("warn", "warn")
    handling = plan.spec.contract.handling
    return Doubts(handling.on_error or "block", handling.on_not_evaluated or "warn")


def _of_checks(results: Iterable[CheckResult], checks: dict[str, CheckSpec], doubts: Doubts) -> Iterator[Finding]:
    for result in results:
        grave = result.severity == "error"
        if result.outcome == "failed":
            yield result.on_violation, _failed(result, checks.get(result.check_id))
        elif result.outcome == "error":
            yield (doubts.error if grave else "warn"), f"'{result.name}' could not be evaluated: {result.message}"
        elif result.outcome == "not_evaluated" and grave:
            yield (
                doubts.not_evaluated,
                f"'{result.name}' was not evaluated, so nobody knows whether it holds: {result.message}",
            )


def _failed(result: CheckResult, check: CheckSpec | None) -> str:
    detail = result.message or f"{result.failed} of {result.evaluated} rows fail"
    return f"'{result.name}': {detail}{_consequence(result, check)}"


def _consequence(result: CheckResult, check: CheckSpec | None) -> str:
    if result.on_violation == "quarantine":
        return "; they are set aside with their original values"
    if result.on_violation == "block":
        return "; nothing is published"
    if check is not None and check.kind == "type":
        return "; those values are published as NULL"
    return "; the rows are published"


def _of_books(plan: Plan, books: Books) -> Iterator[Finding]:
    if not books.rejected:
        return
    rows = f"{books.rejected} of {books.extracted} source rows could not be read as rows"
    if plan.job.schema_validation == "strict":
        yield "block", f"{rows}, and schema_validation_mode is strict; nothing is published"
    else:
        yield "quarantine", f"{rows}; their text is set aside"
