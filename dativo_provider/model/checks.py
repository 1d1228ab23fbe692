"""Checks in one form, whatever language they were written in, their results, and the verdict over a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.vocabulary import (
    CheckKind,
    CheckScope,
    Decision,
    EvaluatedBy,
    OnViolation,
    Outcome,
    Severity,
)

__all__ = ["CheckResult", "CheckSpec", "Rule", "Verdict"]


@dataclass(frozen=True)
class Rule:
    """A check as its author wrote it; `quality.frontends` compiles it to a `CheckSpec`.

    `language` names the front end: `odcs` (a `quality:` entry), `odcs-options` (`logicalTypeOptions`, `enum`),
    `inline`, `soda`, `great_expectations`, `custom`. `column` is set where the rule stands under a column.
    """

    language: str
    body: Mapping[str, Any]
    column: str = ""
    declared_in: str = ""  # file:line:column
    seconds: float = 0.0  # what its engine may take where one is asked; 0: as long as any


@dataclass(frozen=True)
class CheckSpec:
    """One check. `params` by kind, bounds as JSON values of the column's type:

    | kind         | params                                                                                        |
    |--------------|-----------------------------------------------------------------------------------------------|
    | type         | `type`                                                                                        |
    | required     | `missing`: words that count as absent, too                                                    |
    | range        | `min max exclusive_min exclusive_max`                                                         |
    | length       | `min max`                                                                                     |
    | regex        | `pattern negate`                                                                              |
    | enum         | `values negate`                                                                               |
    | condition    | `expression`: SQL that is true for good rows; NULL passes                                     |
    | uniqueness   | `scope`: `run`, or `table` for published rows as well                                         |
    | freshness    | `max_age_seconds timezone`                                                                    |
    | row_count    | -                                                                                             |
    | change       | `metric`: of history; judged against its last accepted value, in percent                      |
    | aggregate    | `function`: a word of `vocabulary.Aggregate`; `argument` of quantile; `values`: `most_common`  |
    |              | is one of them, `contains` counts those that do not occur                                     |
    | distribution | `shares`: expected share by value (a mapping), or of the bins that `edges` part (a list, one  |
    |              | longer than `edges`); `measure`: a word of `vocabulary.Distance`; `max`                       |
    | reference    | `table to`: every value is in column(s) `to` of a published table                             |
    | schema       | `names` that exist, `types` by name, `order`: as named, `others`: more columns are fine       |
    | sql          | `query`: one number over the rows, called `{object}`                                          |
    | failed_rows  | `query`: the rows that fail                                                                   |
    | anomaly      | `metric method sigmas` against stored history                                                 |
    | custom       | `function`, its `arguments`, `timeout_seconds`; or `native`: a check as its `engine` reads it |

    `allowed` (a `Threshold`) decides over the number a check counts or computes; without it none may fail. `reads` are
    the columns that `where` names. A row check says which rows fail; NULL fails only `required`. `on_violation` is
    what a failure does.
    """

    id: str
    name: str
    kind: CheckKind
    scope: CheckScope = "row"
    columns: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"
    on_violation: OnViolation = "quarantine"
    dimension: str = ""
    where: str = ""  # SQL condition on the rows that count
    denominator: str = "rows"  # rows | non_null
    tolerance: float = 0.0  # share of failing rows that still passes
    engine: str = ""  # asked for by name; empty: the cheapest that can
    declared_in: str = ""  # file:line
    description: str = ""

    def tolerates(self, failed: float, total: int) -> bool:
        """Whether so many of so many rows may fail; 29 of 100 are 0.29, whatever a double makes of it."""
        return failed <= self.tolerance * total + 1e-9

    def result(
        self,
        outcome: Outcome,
        evaluated_by: EvaluatedBy = "none",
        evaluated: int = 0,
        failed: int = 0,
        value: Any = None,
        message: str = "",
    ) -> CheckResult:
        """What this check came to, with its own name, severity and policy."""
        return CheckResult(
            self.id, self.name, outcome, evaluated_by, self.severity, self.on_violation,
            evaluated, failed, value, message,
        )  # fmt: skip


@dataclass(frozen=True)
class CheckResult:
    """What a check came to. How long it took and by what is told, but does not make it another result."""

    check_id: str
    name: str
    outcome: Outcome
    evaluated_by: EvaluatedBy
    severity: Severity = "error"
    on_violation: OnViolation = "quarantine"
    evaluated: int = 0
    failed: int = 0
    value: Any = None
    message: str = ""
    engine: str = field(default="", compare=False)  # with its version: `duckdb 1.5.5`
    seconds: float = field(default=0.0, compare=False)  # its own, and its share of what was done for several at once


def _only_warns(result: CheckResult) -> bool:
    return result.outcome == "failed" and result.on_violation == "warn"


@dataclass(frozen=True)
class Verdict:
    """One decision per run. `reasons` are sentences for a person."""

    decision: Decision
    results: tuple[CheckResult, ...] = ()
    reasons: tuple[str, ...] = ()
    fails_after: tuple[str, ...] = ()  # why the run fails although its rows publish (stale data)

    @property
    def counts(self) -> dict[str, int]:
        """How the checks ended. A check that fails and only warns is `warned`."""
        words = ("failed", "warned", "error", "not_evaluated", "skipped", "passed")
        ended = Counter("warned" if _only_warns(result) else result.outcome for result in self.results)
        return {word: ended[word] for word in words}

    @property
    def publishes(self) -> bool:
        return self.decision != "block"
