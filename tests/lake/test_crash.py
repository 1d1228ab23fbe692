"""kill -9 at every step of staging and publishing; then everything is there once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.settings import Settings
from tests.conformance.crash import CrashSuite, publish
from tests.lake.killing import Ended, Point, in_child, start_child
from tests.lake.support import Lake, settings
from tests.services.postgres import Database
from tests.services.s3 import S3
from tests.support import requirement

COMMIT = "pyiceberg.catalog.sql:SqlCatalog.commit_table"
PUBLISHING = {
    "before anything": Point("dativo_provider.lake.publish:commit"),
    "the pending manifest is written": Point("dativo_provider.lake.publish:write_pending", "after"),
    "before the commit is put together": Point("dativo_provider.lake.commit:_commit_once"),
    "its manifests are written": Point("pyiceberg.table:Transaction.commit_transaction"),
    "its metadata is written": Point("pyiceberg.catalog.sql:SqlCatalog._write_metadata", "after"),
    "before the catalog knows": Point(COMMIT),
    "the catalog knows": Point(COMMIT, "after"),
    "before the quarantine": Point("dativo_provider.lake.publish:finish_pending"),
    "before the quarantine's commit": Point(COMMIT, "before", 2),
    "the quarantine is in": Point(COMMIT, "after", 2),
    "at the very end": Point("dativo_provider.lake.publish:_snapshot_of", "after"),
}
STAGING = {
    "nothing is open": Point("dativo_provider.lake.writer:ParquetSink"),
    "a row group is written": Point("dativo_provider.lake.sink:ParquetSink.write", "after"),
    "before the file is closed": Point("dativo_provider.lake.sink:ParquetSink.close"),
    "the first file is closed": Point("dativo_provider.lake.sink:ParquetSink.close", "after"),
    "before the folder is synced": Point("dativo_provider.lake.writer:sync_folders"),
}


def stage(where: Settings, plan: Plan, rows: range, bad: list[int]) -> Manifest:
    return Lake(where).extract(plan, rows, bad)


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    return settings(tmp_path)


class TestIceberg(CrashSuite):
    points = PUBLISHING
    replacing = [name for name, point in PUBLISHING.items() if "quarantine" not in point.place]


@requirement("ING-04")
@pytest.mark.crash
@pytest.mark.parametrize("point", STAGING.values(), ids=list(STAGING))
def test_an_extract_killed_anywhere_leaves_nothing_visible(where: Settings, point: Point) -> None:
    lake = Lake(where)
    lake.run([0])
    plan = lake.plan()
    assert in_child(stage, where, plan, range(1, 3000), [101], kill=point).killed
    assert lake.ids() == [0]
    assert lake.quarantine() == []
    made = lake.extract(plan, range(1, 3000), [101], attempt="2")
    lake.publish(plan, [made])
    assert lake.ids() == list(range(3000))


def _life(where: Settings, dice: random.Random, runs: int) -> tuple[list[int], list[str], int]:
    """Runs with random kills, twins and late zombies. What must be there in the end, and the number of kills."""
    lake, rows, bad, kills, old = Lake(where), [], [], 0, []
    for number in range(runs):
        plan = lake.plan()
        ids = list(range(number * 10, number * 10 + 10))
        made = lake.extract(plan, ids, [number])
        outcomes: list[Ended] = []
        while not any(ended.exitcode == 0 for ended in outcomes):
            points = [dice.choice([*PUBLISHING.values(), None]), *([None] if dice.random() < 0.3 else [])]
            started = [start_child(publish, where, plan, made, kill=point) for point in points]
            outcomes = [child.wait() for child in started]
            kills += sum(ended.killed for ended in outcomes)
        assert {ended.result for ended in outcomes if ended.exitcode == 0} <= {"committed", "already"}
        rows += ids
        bad.append(f"r{number}")
        old.append((plan, made))
        if dice.random() < 0.3:
            zombie = in_child(publish, where, *dice.choice(old))
            assert zombie.result in {"already", "Fenced"}, zombie.error
    lake.plan()
    return rows, sorted(bad), kills


def _exact(where: Settings, seed: int, runs: int) -> int:
    rows, bad, kills = _life(where, random.Random(seed), runs)
    lake = Lake(where)
    assert lake.ids() == rows
    assert lake.quarantine() == bad
    assert lake.state().seq == runs
    return kills


@requirement("ING-25", "STA-09")
@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_life_of_kills_twins_and_zombies_is_exact(where: Settings, seed: int) -> None:
    assert _exact(where, seed, runs=6) > 0


@pytest.mark.crash
@pytest.mark.slow
def test_a_life_in_postgres_and_an_object_store_is_exact(
    tmp_path: Path, database: Database, bucket: str, s3: S3
) -> None:
    properties = {**s3.properties, "uri": database.url}
    where = settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=properties, embedded=False)
    assert _exact(where, seed=7, runs=4) > 0
