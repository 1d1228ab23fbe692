"""Storms over folders of plain Parquet: on a disk, and in a bucket behind a failing network."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.plain_world import PLAIN_POINTS, PlainWorld, plain_maintainer, plain_rival
from tests.crash.processes import Point, Run, last_plan
from tests.crash.readback import published_ids
from tests.crash.storm import storm
from tests.crash.test_kill_anywhere import recover_by_retry, unexpected
from tests.crash.weather import bad_weather
from tests.services.s3 import S3
from tests.services.toxiproxy import Toxiproxy
from tests.support import requirement

pytestmark = [pytest.mark.crash, pytest.mark.timeout(36_000)]
ACTS = (plain_rival, plain_maintainer)


@requirement("ING-25", "STA-09")
@pytest.mark.parametrize("point", PLAIN_POINTS, ids=str)
def test_a_run_killed_at_a_step_of_its_own_leaves_every_row_once_in_the_folders(point: Point, tmp_path: Path) -> None:
    world, rng = PlainWorld(tmp_path), random.Random(str(point))
    for _ in range(2):
        world.add_file(rng)
        Run(world, point=point).outcome()  # some steps come once only
    recover_by_retry(world)
    assert Run(world).outcome() == "committed"
    clear_up(world)
    world.check()


@requirement("ING-25", "STA-09", "TAG-08")
@pytest.mark.slow
def test_a_storm_over_a_folder(tmp_path: Path) -> None:
    storm("CSV → folder", CalmedWorld(tmp_path), acts=ACTS)


@requirement("ING-25", "STA-09", "CON-31")
@pytest.mark.slow
def test_a_storm_over_a_bucket(tmp_path: Path, s3: S3, bucket: str, toxiproxy: Toxiproxy) -> None:
    link = toxiproxy.link(s3.endpoint.rpartition("/")[2])
    storage = {**s3.properties, "s3.endpoint": f"http://{link.address}"}
    storm("CSV → bucket", CalmedWorld(tmp_path, bucket=bucket, storage=storage), bad_weather([link], 3), ACTS)


class CalmedWorld(PlainWorld):
    """What a storm leaves in the folders goes with the next run and its maintenance."""

    def check(self) -> None:
        clear_up(self)
        super().check()


def clear_up(world: PlainWorld) -> None:
    from dativo_provider.pipeline import steps

    plain_maintainer(world, 0)
    steps.sync(last_plan(world), world.context())


@requirement("ING-25")
def test_racing_full_refreshes_leave_every_row_once_in_the_folders_too(tmp_path: Path) -> None:
    world, rng = PlainWorld(tmp_path, mode="replace", strategy="full_refresh"), random.Random(7)
    for _ in range(2):
        world.add_file(rng)
        outcomes = [run.outcome() for run in [Run(world, full_refresh=True) for _ in range(3)]]
        assert "committed" in outcomes
        assert not [outcome for outcome in outcomes if unexpected(outcome)], outcomes
        assert Counter(published_ids(world)) == Counter(world.good)
    clear_up(world)
    world.check_folders()
