"""PostgreSQL under the same treatment: lookback reads rows again, and none is doubled or lost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.postgres_world import PostgresWorld
from tests.crash.processes import POINTS, Point, Run, last_plan
from tests.crash.test_kill_anywhere import unexpected
from tests.support import requirement

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]
COMMITS = [point for point in POINTS if "commit_table" in point.target or "publish" in point.target]


@pytest.fixture
def world(tmp_path: Path, postgres: Any) -> Iterator[PostgresWorld]:
    with postgres.database() as database:
        made = PostgresWorld(tmp_path, params=database.params)
        made.create()
        yield made


@requirement("ING-25", "STA-08", "REG-08")
def test_lookback_with_an_unchanged_maximum_doubles_nothing(world: PostgresWorld) -> None:
    """The window overlaps, no row is new: the cursor stands still, and only `seq` tells the runs apart."""
    world.add_file(random.Random(1))
    assert Run(world).outcome() == "committed"
    runs = [Run(world) for _ in range(3)]
    outcomes = [run.outcome() for run in runs]
    assert "committed" in outcomes
    assert not [outcome for outcome in outcomes if unexpected(outcome)], outcomes
    world.check()


@requirement("ING-25", "STA-09")
@pytest.mark.parametrize("point", COMMITS, ids=str)
def test_killed_around_its_commits_with_a_twin_running(world: PostgresWorld, point: Point) -> None:
    rng = random.Random(str(point))
    world.add_file(rng)
    assert Run(world).outcome() == "committed"
    world.add_file(rng)
    assert Run(world, point=point).outcome() == "killed"
    twins = [Run(world, plan_uri=last_plan(world)), Run(world)]
    assert not [outcome for outcome in (twin.outcome() for twin in twins) if unexpected(outcome)]
    settle(world)


def settle(world: PostgresWorld) -> None:
    for _ in range(2):
        assert Run(world).outcome() == "committed"
    world.check()
