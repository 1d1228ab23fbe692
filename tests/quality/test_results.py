from __future__ import annotations

import pytest

from dativo_provider.quality.results import merge
from dativo_provider.quality.score import Score, score
from tests.quality.support import a_result
from tests.support import requirement


@requirement("DQ-11")
@pytest.mark.parametrize(
    ("one", "other", "whole"),
    [
        ("passed", "passed", "passed"),
        ("passed", "failed", "failed"),
        ("passed", "skipped", "passed"),
        ("passed", "not_evaluated", "not_evaluated"),
        ("failed", "error", "error"),
        ("failed", "not_evaluated", "failed"),
        ("skipped", "skipped", "skipped"),
    ],
)
def test_what_is_wrong_in_one_slice_is_wrong_in_the_whole(one: str, other: str, whole: str) -> None:
    for first, second in ((one, other), (other, one)):
        (merged,) = merge([(a_result(first),), (a_result(second, message=second),)])
        assert (merged.outcome, merged.evaluated, merged.failed) == (whole, 200, 14)


def test_checks_keep_the_order_of_their_first_mention() -> None:
    parts = [(a_result("passed", check_id="b"),), (a_result("passed", check_id="a"), a_result("passed", check_id="b"))]
    assert [result.check_id for result in merge(parts)] == ["b", "a"]
    assert merge([]) == ()


@requirement("DQ-11")
def test_a_score_never_hides_what_was_not_evaluated() -> None:
    results = [
        a_result("passed"),
        a_result("failed", evaluated=100, failed=50),
        a_result("failed", evaluated_by="scan", severity="warning"),
        a_result("not_evaluated"),
        a_result("skipped", severity="info"),
    ]
    assert score(results) == Score(value=60.0, coverage=0.75)
    assert score([a_result("error")]) == Score(value=None, coverage=0.0)
    assert score([]) == Score(value=None, coverage=1.0)
