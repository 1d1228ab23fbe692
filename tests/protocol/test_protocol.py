"""The protocol, explored whole: no interleaving of its processes loses or doubles a row, and each rule is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.protocol.model import STEPS, Rules, World, explore, start, unsound
from tests.support import requirement

# one plan run twice, and another plan
RACE = start("a", "a", "b")


def first_wrong(rules: Rules) -> str:
    return next((found for world in explore(rules, RACE) if (found := unsound(world, rules))), "")


@requirement("ING-25", "STA-09")
@pytest.mark.parametrize("mode", ["append", "replace"])
def test_no_interleaving_loses_or_doubles_a_row(mode: Any) -> None:
    rules = Rules(mode)
    count = 0
    for world in explore(rules, RACE):
        count += 1
        assert not unsound(world, rules), world
    assert count > 10_000


def test_every_end_can_be_continued_from() -> None:
    """Whatever has died, one more run that is left alone brings everything up to date."""
    rules, ends = Rules(), 0
    for world in explore(rules, RACE._replace(foreign=0)):
        if all(process.step == "ended" for process in world.processes) and not world.growth:
            ends += 1
            after = alone(world, rules)
            assert after.state.cursor == after.high
            assert after.state.pending is None or after.settled == after.state.pending[1]
    assert ends > 100


def alone(world: World, rules: Rules) -> World:
    """The world after one more run whose steps all succeed."""
    fresh = start("c").processes
    world = world._replace(processes=fresh)
    while (step := world.processes[0].step) != "ended":
        world = next(STEPS[step](world, rules, 0))  # the first way is the one without mishap
    return world


BROKEN = {
    "no fence": {"fence": "none", "remembers_runs": True},
    "fenced by the cursor only, in a replace": {"mode": "replace", "fence": "cursor"},
    "runs are not remembered and nothing fences": {"fence": "none", "remembers_runs": False},
    "stale commits are rebased": {"compares_and_sets": False},
    "state in a commit of its own": {"state_in_the_commit": False},
    "files of unknown commits are cleaned up": {"keeps_files_of_unknown_commits": False},
    "quarantine before the table": {"main_first": False},
    "the next run does not finish what is pending": {"finishes_pending_first": False},
    "a sweep that looks at nobody": {"sweep_spares_the_living": False},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN.keys())
def test_each_rule_is_needed(changes: dict[str, Any]) -> None:
    assert first_wrong(replace(Rules(), **changes))
