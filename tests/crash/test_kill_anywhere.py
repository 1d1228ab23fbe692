"""kill -9 at every step and at random moments, with late twins, retries of the same plan and new runs."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.processes import POINTS, Point, Run, last_plan
from tests.crash.readback import published_ids
from tests.crash.share import Figures, counted, share
from tests.crash.world import World
from tests.support import requirement

pytestmark = [pytest.mark.crash, pytest.mark.timeout(36_000)]


@requirement("ING-25", "STA-09", "REG-03")
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_run_killed_at_any_step_loses_and_doubles_nothing(point: Point, tmp_path: Path) -> None:
    world = World(tmp_path)
    rng = random.Random(str(point))
    world.add_file(rng)
    assert Run(world).outcome() == "committed"
    world.add_file(rng)
    world.add_file(rng)
    assert Run(world, point=point).outcome() == "killed", f"nothing died at {point}"
    recover_by_retry(world)
    finish(world)


@requirement("ING-25", "STA-09", "QUA-01")
@pytest.mark.slow
def test_random_kills_with_twins_and_retries_lose_and_double_nothing(tmp_path: Path) -> None:
    world, rng, name = World(tmp_path), random.Random(20261120), "CSV → SQLite, append, runs alone"
    with counted(name) as figures:
        while figures.kills < share(name):
            world.add_file(rng)
            attempt(world, rng, figures)
        finish(world)
        figures.rows = world.rows


def attempt(world: World, rng: random.Random, figures: Figures) -> None:
    """One run killed somewhere, then whatever an operator or a scheduler may do next."""
    before = last_plan(world)
    run = Run(world, point=rng.choice(POINTS) if rng.random() < 0.6 else None)
    if rng.random() < 0.6:
        run.kill_after(rng.uniform(0.02, 0.8))
    figures.saw(run.outcome())
    plan = last_plan(world)
    if plan == before:
        return
    retries = [Run(world, plan_uri=plan) for _ in range(rng.choice([0, 1, 2]))]
    figures.twins += len(retries)
    if rng.random() < 0.3:
        retries.append(Run(world))
    outcomes = [retry.outcome() for retry in retries]
    for outcome in outcomes:
        figures.saw(outcome)
    assert not [outcome for outcome in outcomes if unexpected(outcome)], outcomes


def unexpected(outcome: str) -> bool:
    return outcome not in {"committed", "already"} and not outcome.startswith("Fenced")


def recover_by_retry(world: World) -> None:
    """What Airflow does: the same plan again, if there is one."""
    if plan := last_plan(world):
        outcome = Run(world, plan_uri=plan).outcome()
        assert not unexpected(outcome), outcome


def finish(world: World) -> None:
    """A last undisturbed run picks up what is left; then every row is where it belongs, exactly once."""
    for _ in range(2):
        outcome = Run(world).outcome()
        assert outcome == "committed", outcome
    world.check()


@requirement("ING-25")
def test_two_racing_full_refreshes_leave_every_row_once(tmp_path: Path) -> None:
    world = World(tmp_path, mode="replace", strategy="full_refresh")
    rng = random.Random(7)
    for _ in range(3):
        world.add_file(rng)
        runs = [Run(world, full_refresh=True) for _ in range(3)]
        outcomes = [run.outcome() for run in runs]
        assert "committed" in outcomes
        assert not [outcome for outcome in outcomes if unexpected(outcome)], outcomes
        assert Counter(published_ids(world)) == Counter(world.good)


@requirement("ING-25")
def test_a_cleared_plan_and_the_attempt_that_still_runs_publish_once(tmp_path: Path) -> None:
    """The operator clears `plan` while tasks of the old plan are on their way; later even those are cleared."""
    world = World(tmp_path)
    rng = random.Random(11)
    for _ in range(3):
        world.add_file(rng, rows=2000)
        before = last_plan(world)
        old = Run(world)
        while last_plan(world) == before:
            time.sleep(0.005)
        plan = last_plan(world)
        runs = [old, Run(world), Run(world, plan_uri=plan)]
        outcomes = [run.outcome() for run in runs]
        assert "committed" in outcomes
        assert not [outcome for outcome in outcomes if unexpected(outcome)], outcomes
        world.check()


@requirement("ING-25")
def test_a_cleared_run_publishes_nothing_twice(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_file(random.Random(3))
    assert Run(world).outcome() == "committed"
    assert Run(world, plan_uri=last_plan(world)).outcome() == "already"
    world.check()
