"""One decision per run: every cell of the policy table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.handling import Handling
from dativo_provider.model.run import Lane
from dativo_provider.quality.verdict import decide
from tests.quality.support import a_check, a_plan, a_result
from tests.support import requirement

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
BOOKS = Books(extracted=100, accepted=93, quarantined=7, produced=93)


def judged(result: Any, check: Any = None, books: Books = BOOKS, **plan: Any) -> Verdict:
    return decide(a_plan([check or a_check()], **plan), [result], books, NOW)


@requirement("SN-09", "DQ-04", "DQ-11")
@pytest.mark.parametrize(
    ("outcome", "severity", "policy", "decision"),
    [
        ("passed", "error", "block", "pass"),
        ("skipped", "error", "block", "pass"),
        ("failed", "error", "block", "block"),
        ("failed", "error", "quarantine", "quarantine"),
        ("failed", "error", "warn", "warn"),
        ("failed", "warning", "block", "block"),
        ("failed", "warning", "quarantine", "quarantine"),
        ("failed", "warning", "warn", "warn"),
        ("failed", "info", "warn", "warn"),
        ("error", "error", "warn", "block"),
        ("error", "warning", "block", "warn"),
        ("error", "info", "warn", "warn"),
        ("not_evaluated", "error", "block", "warn"),
        ("not_evaluated", "warning", "block", "pass"),
        ("not_evaluated", "info", "warn", "pass"),
    ],
)
def test_each_outcome_severity_and_policy_leads_to_one_decision(
    outcome: str, severity: str, policy: str, decision: str
) -> None:
    verdict = judged(a_result(outcome, severity=severity, on_violation=policy))
    assert verdict.decision == decision
    assert verdict.publishes is (decision != "block")
    assert bool(verdict.reasons) is (decision != "pass")


@requirement("DQ-04")
def test_the_sentences_say_what_how_many_and_what_becomes_of_the_rows() -> None:
    def sentence(**given: Any) -> str:
        return judged(a_result("failed", **given), a_check(kind=given.pop("kind", "range"))).reasons[0]

    assert sentence(on_violation="quarantine") == (
        "'the check': 7 of 100 rows fail; they are set aside with their original values"
    )
    assert sentence(on_violation="block").endswith("; nothing is published")
    assert sentence(on_violation="warn").endswith("; the rows are published")
    lenient = judged(a_result("failed", on_violation="warn"), a_check(kind="type"))
    assert lenient.reasons[0].endswith("; those values are published as NULL")
    unknown = judged(a_result("not_evaluated", message="no engine"))
    assert unknown.reasons == ("'the check' was not evaluated, so nobody knows whether it holds: no engine",)


@requirement("DQ-04", "QUA-01", "CFG-08")
@pytest.mark.parametrize(
    ("mode", "decision"), [("quarantine", "quarantine"), ("warn", "quarantine"), ("strict", "block")]
)
def test_rows_that_are_no_rows_are_kept_or_block(mode: str, decision: str) -> None:
    books = Books(extracted=100, accepted=98, rejected=2, produced=98)
    verdict = judged(a_result("passed"), books=books, schema_validation=mode)
    assert verdict.decision == decision
    assert verdict.reasons[0].startswith("2 of 100 source rows could not be read as rows")


def test_the_gravest_finding_decides_and_comes_first() -> None:
    checks = [a_check(id=i) for i in "abc"]
    results = [
        a_result("failed", check_id="a", name="a", on_violation="warn"),
        a_result("failed", check_id="b", name="b", on_violation="block"),
        a_result("failed", check_id="c", name="c", on_violation="quarantine"),
    ]
    verdict = decide(a_plan(checks), results, BOOKS, NOW)
    assert verdict.decision == "block"
    assert [reason[1] for reason in verdict.reasons] == ["b", "c", "a"]


@requirement("DQ-04", "DQ-07")
@pytest.mark.parametrize(
    ("allowed", "failed", "outcome"),
    [
        ({"op": "mustBeLessThan", "value": 7, "unit": "percent"}, 7, "failed"),
        ({"op": "mustBeLessThan", "value": 7.1, "unit": "percent"}, 7, "passed"),
        ({"op": "mustBeLessOrEqualTo", "value": 7, "unit": "rows"}, 7, "passed"),
        ({"op": "mustBeBetween", "value": [1, 6], "unit": "rows"}, 7, "failed"),
        ({"op": "mustNotBeBetween", "value": [1, 6], "unit": "rows"}, 7, "passed"),
        ({"op": "mustNotBe", "value": 7, "unit": "rows"}, 7, "failed"),
        ({"op": "mustBeGreaterThan", "value": 6, "unit": "rows"}, 7, "passed"),
        ({"op": "mustBeGreaterOrEqualTo", "value": 8, "unit": "rows"}, 7, "failed"),
        ({"op": "mustBe", "value": 7, "unit": "rows"}, 7, "passed"),
    ],
)
def test_counts_with_a_threshold_are_judged_over_the_whole_run(allowed: Any, failed: int, outcome: str) -> None:
    verdict = judged(a_result("failed", failed=failed, on_violation="block"), a_check(params={"allowed": allowed}))
    assert verdict.results[0].outcome == outcome
    assert verdict.decision == ("block" if outcome == "failed" else "pass")
    assert f"{failed} of 100 rows" in verdict.results[0].message


def test_a_tolerated_share_passes_up_to_and_including_it() -> None:
    for failed, outcome in ((5, "passed"), (6, "failed")):
        verdict = judged(a_result("failed", failed=failed), a_check(tolerance=0.05))
        assert verdict.results[0].outcome == outcome


FRESH = a_check(
    kind="freshness", scope="dataset", columns=("seen",), params={"max_age_seconds": 3600}, on_violation="warn"
)


@requirement("DQ-06", "DQ-04", "SN-01", "SN-02")
@pytest.mark.parametrize(
    ("severity", "policy", "decision", "fails_after"),
    [("error", "warn", "warn", True), ("warning", "warn", "warn", False), ("error", "block", "block", False)],
)
def test_stale_rows_publish_and_then_the_run_fails_unless_it_blocks(
    severity: str, policy: str, decision: str, fails_after: bool
) -> None:
    verdict = judged(a_result("failed", severity=severity, on_violation=policy, message="3 hours old"), FRESH)
    assert verdict.decision == decision
    assert bool(verdict.fails_after) is fails_after


@pytest.mark.parametrize("kind", ["backfill", "replay"])
def test_freshness_is_not_judged_on_rows_that_are_old_on_purpose(kind: Any) -> None:
    verdict = judged(a_result("failed", message="old"), FRESH, lane=Lane(kind, "x"))
    assert (verdict.decision, verdict.results[0].outcome, verdict.fails_after) == ("pass", "skipped", ())


def test_a_run_without_rows_is_as_fresh_as_its_cursor() -> None:
    for hours, outcome in ((0.5, "passed"), (2, "failed")):
        cursor = {"column": "seen", "type": "timestamptz", "value": (NOW - timedelta(hours=hours)).isoformat()}
        verdict = judged(a_result("not_evaluated", message="no rows"), FRESH, cursor=cursor)
        assert verdict.results[0].outcome == outcome
    for cursor in ({"column": "id", "value": 5}, {"column": "seen", "value": "soon"}, {}):
        assert judged(a_result("not_evaluated"), FRESH, cursor=cursor).results[0].outcome == "not_evaluated"


def test_results_of_unknown_checks_are_judged_by_what_they_say_themselves() -> None:
    assert judged(a_result("failed", check_id="other", on_violation="block")).decision == "block"


@requirement("DQ-04", "DQ-18")
@pytest.mark.parametrize(
    ("outcome", "handling", "enforcement", "decision"),
    [
        ("error", Handling(on_error="warn"), "strict", "warn"),
        ("error", Handling(), "warn", "warn"),
        ("not_evaluated", Handling(on_not_evaluated="block"), "strict", "block"),
        ("not_evaluated", Handling(on_not_evaluated="block"), "warn", "warn"),
    ],
)
def test_what_a_check_does_that_nobody_knows_the_outcome_of_is_policy(
    outcome: str, handling: Handling, enforcement: str, decision: str
) -> None:
    plan = a_plan([a_check()], enforcement=enforcement)
    stream = replace(plan.spec, contract=replace(plan.spec.contract, handling=handling))
    plan = replace(plan, job=replace(plan.job, streams=(stream,)))
    verdict = decide(plan, [a_result(outcome, on_violation="warn")], BOOKS, NOW)
    assert verdict.decision == decision
    assert verdict.counts["passed"] == 0


@requirement("DQ-11")
def test_a_verdict_counts_how_its_checks_ended() -> None:
    results = [
        a_result("passed"), a_result("passed"), a_result("failed", on_violation="quarantine"),
        a_result("failed", on_violation="warn"), a_result("error"), a_result("not_evaluated"), a_result("skipped"),
    ]  # fmt: skip
    assert decide(a_plan([a_check()]), results, BOOKS, NOW).counts == {
        "failed": 1, "warned": 1, "error": 1, "not_evaluated": 1, "skipped": 1, "passed": 2,
    }  # fmt: skip


@pytest.mark.parametrize(("share", "failed", "fits"), [(0.29, 29, True), (0.29, 30, False), (0.0, 1, False)])
def test_a_share_of_rows_that_a_double_cannot_hold_is_tolerated_to_the_row(
    share: float, failed: int, fits: bool
) -> None:
    assert a_check(tolerance=share).tolerates(failed, 100) is fits
