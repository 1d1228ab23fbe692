"""The deployment's own form: PostgreSQL source and catalog, S3 warehouse, metadata store beside it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from dativo_provider.store import open_store
from tests.crash.far_world import RemoteWorld
from tests.crash.processes import POINTS, Point, Run, last_plan
from tests.crash.test_kill_anywhere import unexpected
from tests.services.postgres import Postgres
from tests.services.s3 import S3
from tests.support import requirement

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]
COMMITS = [point for point in POINTS if "commit_table" in point.target]


@pytest.fixture
def world(tmp_path: Path, postgres: Postgres, s3: S3, bucket: str) -> Iterator[RemoteWorld]:
    with postgres.database() as source, postgres.database() as catalog:
        uri = catalog.url.replace("postgresql://", "postgresql+psycopg2://")
        made = RemoteWorld(tmp_path, catalog_uri=uri, params=source.params, bucket=bucket, storage=s3.properties)
        made.create()
        yield made


@requirement("ING-01", "STA-04", "STA-07")
def test_runs_follow_each_other_and_are_remembered(world: RemoteWorld) -> None:
    for seed in range(2):
        world.add_file(random.Random(seed))
        assert Run(world).outcome() == "committed"
        world.check()
    with open_store(world.context()) as store:
        assert [record.status for record in store.runs(tenant="acme")] == ["published", "published"]
        assert sum(record.books.accepted for record in store.runs(tenant="acme")) == len(world.good)
    assert not list(world.home.rglob("*")) if world.home.exists() else True


@requirement("ING-25", "STA-09")
@pytest.mark.parametrize("point", COMMITS, ids=str)
def test_killed_around_its_commits_it_loses_and_doubles_nothing(world: RemoteWorld, point: Point) -> None:
    rng = random.Random(str(point))
    world.add_file(rng)
    assert Run(world).outcome() == "committed"
    world.add_file(rng)
    assert Run(world, point=point).outcome() == "killed"
    twins = [Run(world, plan_uri=last_plan(world)), Run(world)]
    assert not [outcome for outcome in (twin.outcome() for twin in twins) if unexpected(outcome)]
    assert Run(world).outcome() == "committed"
    world.check()
