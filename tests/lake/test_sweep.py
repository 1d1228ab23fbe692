"""A sweep removes what nothing can reach, and not one file more."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import local_path
from dativo_provider.lake.sweep import reachable
from tests.lake.support import Lake, job, settings
from tests.support import requirement

HOUR = timedelta(hours=1)


def age(folder: Path, days: float = 5) -> None:
    old = time.time() - days * 86400
    for path in folder.rglob("*"):
        os.utime(path, (old, old))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(settings(tmp_path))


@requirement("ING-25")
def test_what_crashed_runs_left_goes_and_what_is_published_stays(lake: Lake, tmp_path: Path) -> None:
    lake.run([1], bad=[8])
    table = lake.target.table(lake.name())
    table.manage_snapshots().create_tag(table.metadata.current_snapshot_id or 0, "kept").commit()
    Lake(settings(tmp_path), job(mode="replace")).run([2], bad=[9])  # the first run's file: reachable by the tag only
    dead = lake.plan()
    lake.extract(dead, [5], bad=[6])
    (tmp_path / "warehouse/acme/orders/metadata/leftover-m0.avro").write_bytes(b"of a failed commit")
    age(tmp_path)
    # two staged files, the leftover, and the first run's quarantine manifest, which no state waits for
    assert lake.target.sweep_table(lake.name(), HOUR) == 4
    assert (lake.ids(), lake.quarantine()) == ([2], ["r8", "r9"])
    tagged = lake.target.table(lake.name())
    kept = tagged.scan(snapshot_id=tagged.refs()["kept"].snapshot_id).to_arrow()["id"].to_pylist()
    assert kept == [1]
    assert lake.target.sweep_table(lake.name(), HOUR) == 0
    assert all(local_path(uri).exists() for uri in reachable(tagged))


@requirement("ING-25")
def test_where_the_catalog_keeps_more_than_the_table_shows_nothing_goes(lake: Lake, tmp_path: Path) -> None:
    """Branches of a catalog like Nessie may need what this table's metadata no longer leads to."""
    lake.run([1])
    lake.extract(lake.plan(), [5])
    age(tmp_path)
    with lake.target.table(lake.name()).transaction() as change:
        change.set_properties({"gc.enabled": "false"})
    assert lake.target.sweep_table(lake.name(), HOUR) == 0
    with lake.target.table(lake.name()).transaction() as change:
        change.remove_properties("gc.enabled")
    assert lake.target.sweep_table(lake.name(), HOUR) == 1


def test_young_files_and_running_plans_are_spared(lake: Lake, tmp_path: Path) -> None:
    lake.run([1])
    young, running = lake.plan(), lake.plan()
    made = lake.extract(running, [3])
    age(tmp_path)
    also = lake.extract(young, [2])
    assert lake.target.sweep_table(lake.name(), HOUR, running=[running.plan_id]) == 0
    assert lake.target.sweep_old(running) == 0
    lake.publish(running, [made])
    assert also.files
    assert lake.ids() == [1, 3]


def test_a_plan_that_still_writes_keeps_its_old_files(lake: Lake, tmp_path: Path) -> None:
    plan = lake.plan()
    first = lake.extract(plan, [1], piece=0)
    age(tmp_path)
    second = lake.extract(plan, [2], piece=1)
    assert lake.target.sweep_table(lake.name(), HOUR) == 0
    lake.publish(plan, [first, second])
    assert lake.ids() == [1, 2]


def test_rows_promised_to_the_quarantine_are_spared(lake: Lake, tmp_path: Path) -> None:
    plan = lake.plan()
    made = lake.extract(plan, [1], bad=[9])
    with mock.patch("dativo_provider.lake.publish.finish_pending"):
        lake.publish(plan, [made])
    age(tmp_path)
    assert lake.target.sweep_table(lake.name(), HOUR) == 0
    lake.plan()
    assert lake.quarantine() == ["r9"]


def test_a_sweep_of_the_last_minutes_is_refused(lake: Lake) -> None:
    lake.run([1])
    with pytest.raises(ConfigurationError, match="in flight"):
        lake.target.sweep_table(lake.name(), timedelta(minutes=5))


def test_old_metadata_files_go_once_the_log_has_dropped_them(lake: Lake, tmp_path: Path) -> None:
    lake.run([0])
    lake.target.table(lake.name()).transaction().set_properties(
        {"write.metadata.previous-versions-max": "2"}
    ).commit_transaction()
    for number in range(1, 5):
        lake.run([number])
    age(tmp_path)
    assert lake.target.sweep_table(lake.name(), HOUR) > 0
    left = list((tmp_path / "warehouse/acme/orders/metadata").glob("*.metadata.json"))
    assert len(left) == 3
    assert lake.ids() == list(range(5))
