"""kill -9 in the middle of every job, and jobs beside a publisher that never stops: no row is lost or doubled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dativo_provider.lake.maintain import JOBS
from dativo_provider.model.maintenance import MaintenanceSpec
from dativo_provider.model.settings import Settings
from tests.lake.killing import Point, in_child, start_child
from tests.lake.maintain.support import age, ids, maintain, small_files
from tests.lake.support import Lake, settings
from tests.services.postgres import Database
from tests.services.s3 import S3
from tests.support import requirement

COMMIT = "pyiceberg.catalog.sql:SqlCatalog.commit_table"
DELETE = "dativo_provider.files.local:LocalFiles.delete"
WRITE = "dativo_provider.lake.sink:ParquetSink.close"
POINTS = {
    "compact": (Point(WRITE), Point(WRITE, "after"), Point(COMMIT), Point(COMMIT, "after")),
    "manifests": (Point(COMMIT), Point(COMMIT, "after")),
    "expire": (Point(COMMIT), Point(COMMIT, "after"), Point(DELETE, "after"), Point(DELETE, "after", 4)),
    "metadata": (Point(COMMIT), Point(COMMIT, "after")),
    "orphans": (Point(DELETE), Point(DELETE, "after", 2)),
}


BUSY = MaintenanceSpec(target_mb=1, min_files=3, min_manifests=3, retention_days=0, keep_snapshots=3, keep_metadata=5)


def upkeep(where: Settings, name: str) -> str:
    return maintain(Lake(where), name, later=2).outcome


def publish(where: Settings, first: int, runs: int) -> int:
    """Runs that follow each other without a pause."""
    lake = Lake(where)
    for number in range(first, first + runs):
        lake.run(range(number * 10, number * 10 + 10), [number], cursor=number)
    return runs


def care(where: Settings, seed: int, rounds: int) -> list[str]:
    """Every job, again and again, in a random order, with next to no retention."""
    dice, lake = random.Random(seed), Lake(where)
    return [maintain(lake, dice.choice([*JOBS]), spec=BUSY).outcome for _ in range(rounds)]


@requirement("TAG-08")
@pytest.mark.crash
@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, points in POINTS.items() for point in points], ids=str
)
def test_a_job_killed_anywhere_loses_nothing_and_the_next_one_finishes(tmp_path: Path, name: str, point: Point) -> None:
    where = settings(tmp_path)
    lake = Lake(where)
    rows = small_files(lake)
    if name in {"expire", "orphans"}:
        maintain(lake, "compact")
        lake.extract(lake.plan(), [1, 2], [3])
        lake.extract(lake.plan(), [4, 5], [6])
    age(tmp_path)
    assert in_child(upkeep, where, name, kill=point).killed
    assert ids(lake) == rows
    age(tmp_path)
    assert upkeep(where, name) in {"done", "nothing"}
    assert ids(lake) == rows
    small_files(lake, count=1, start=1000)
    assert len(ids(lake)) == len(rows) + 10


@requirement("TAG-08")
@pytest.mark.crash
@pytest.mark.slow
def test_maintenance_beside_runs_loses_and_doubles_nothing(tmp_path: Path) -> None:
    _beside(settings(tmp_path), tmp_path)


@pytest.mark.crash
@pytest.mark.slow
def test_maintenance_beside_runs_in_postgres_and_an_object_store(
    tmp_path: Path, database: Database, bucket: str, s3: S3
) -> None:
    properties = {**s3.properties, "uri": database.url}
    where = settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=properties, embedded=False)
    _beside(where, tmp_path)


def _beside(where: Settings, tmp_path: Path) -> None:
    """A publisher, two carers who may meet, and a third who dies."""
    lake = Lake(where)
    small_files(lake, count=4)
    age(tmp_path)
    publisher = start_child(publish, where, 4, 16)
    carers = [start_child(care, where, seed, 6) for seed in (1, 2)]
    dying = start_child(care, where, 3, 6, kill=Point(COMMIT, "after", 2))
    ended = [child.wait() for child in (publisher, *carers)]
    dying.wait()
    assert [each.error for each in ended] == ["", "", ""]
    assert any("done" in each.result for each in ended[1:])
    assert ids(lake) == list(range(200))
    assert lake.quarantine() == sorted(f"r{number}" for number in range(4, 20))
    assert lake.state().seq == 20
