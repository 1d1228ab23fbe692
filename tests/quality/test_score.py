from __future__ import annotations

from dativo_provider.model.stream import Field
from dativo_provider.quality.score import score, scorecard
from tests.quality.support import a_check, a_result
from tests.support import requirement

FIELDS = (Field("amount", "double"), Field("email"), Field("note"))
CHECKS = (
    a_check(id="type", kind="type", columns=("note",), dimension="conformity"),
    a_check(id="range", kind="range", columns=("amount",), dimension="conformity"),
    a_check(id="there", kind="required", columns=("email",), dimension="completeness"),
    a_check(id="odd", kind="anomaly", columns=(), scope="dataset"),
)


@requirement("DQ-12", "DQ-16")
def test_the_score_is_broken_down_by_column_and_dimension() -> None:
    results = [
        a_result("passed", check_id="type"),
        a_result("failed", check_id="range"),
        a_result("passed", check_id="there"),
        a_result("not_evaluated", check_id="odd"),
    ]
    card = scorecard(results, CHECKS, FIELDS)
    assert (card.total.value, card.total.coverage) == (97.67, 0.75)
    assert card.dimensions["conformity"].value == 96.5
    assert card.dimensions["completeness"].value == 100
    assert card.dimensions["other"].value is None
    assert card.columns["amount"].value == 93
    assert card.unchecked == ("note",)
    assert card.columns_covered == 0.6667


@requirement("DQ-16")
def test_the_goal_is_not_reached_while_something_declared_was_not_looked_at() -> None:
    assert score([a_result("passed")]).reached
    assert not score([a_result("passed"), a_result("not_evaluated")]).reached
    assert not score([a_result("failed", failed=10)]).reached
    assert not score([]).reached


def test_what_could_not_be_scored_leaves_no_number() -> None:
    metrics = scorecard([a_result("error", check_id="range")], CHECKS, FIELDS).metrics()
    assert metrics == {"score_coverage": 0.0, "score_columns_covered": 0.0}
