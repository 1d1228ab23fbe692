"""kill -9 at every step of a merge, a delete_insert and a history; then each is there once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.settings import Settings
from tests.lake.killing import Point, in_child, start_child
from tests.lake.support import Lake, job, settings
from tests.lake.test_crash import COMMIT, PUBLISHING
from tests.support import requirement

KEYED = "dativo_provider.lake.modes.keyed:KeyedMode"
REWRITE = "dativo_provider.lake.modes.rewrite"
POINTS = {
    "half of the table is probed": Point("dativo_provider.lake.scratch:Scratch.insert", "after", 2),
    "before a file is written anew": Point(f"{REWRITE}:_written"),
    "a file is written anew": Point(f"{REWRITE}:_written", "after"),
    "its manifests are written": PUBLISHING["its manifests are written"],
    "before the catalog knows": PUBLISHING["before the catalog knows"],
    "the catalog knows": PUBLISHING["the catalog knows"],
    "what was written in vain is removed": Point(f"{REWRITE}:Rewriter.close", "after"),
    "before the quarantine's commit": Point(COMMIT, "before", 2),
}
MODES: dict[str, dict[str, Any]] = {
    "merge": {"mode": "merge"},
    "delete_insert": {"mode": "delete_insert", "partitioning": (PartitionSpec("at", "day"),)},
    "scd2": {"mode": "scd2", "order_by": "at"},
}
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int, value: str, day: int) -> dict[str, Any]:
    return {"id": number, "value": value, "at": DAY + timedelta(days=day)}


BEFORE = [row(n, "a", n) for n in range(6)]
NEWS = [row(2, "b", 2), row(9, "b", 9), row(3, "b", 12)]
EXPECTED = {
    "merge": [(0, "a"), (1, "a"), (2, "b"), (3, "b"), (4, "a"), (5, "a"), (9, "b")],
    "delete_insert": [(0, "a"), (1, "a"), (2, "b"), (3, "a"), (3, "b"), (4, "a"), (5, "a"), (9, "b")],
    "scd2": [(0, "a"), (1, "a"), (2, "b"), (3, "a"), (3, "b"), (4, "a"), (5, "a"), (9, "b")],
}


def publish(where: Settings, mode: str, plan: Plan, made: Manifest) -> str:
    return Lake(where, job(**MODES[mode])).publish(plan, [made]).outcome


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@requirement("ING-08", "ING-25", "STA-09")
@pytest.mark.crash
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("point", POINTS.values(), ids=list(POINTS))
def test_a_publish_killed_anywhere_ends_up_exact_in_every_mode(where: Settings, mode: str, point: Point) -> None:
    lake = Lake(where, job(**MODES[mode]))
    lake.run(BEFORE, bad=[100])
    old = lake.rows("id", "value")
    plan = lake.plan()
    made = lake.extract(plan, NEWS, [101])
    dying = start_child(publish, where, mode, plan, made, kill=point)
    if point.place == COMMIT:  # and a twin beside it
        twin = in_child(publish, where, mode, plan, made)
        assert twin.result in {"committed", "already"}, twin.error
    assert dying.wait().exitcode in {0, -9}
    assert lake.rows("id", "value") in (old, EXPECTED[mode])
    assert lake.publish(plan, [made]).outcome in {"committed", "already"}
    assert lake.rows("id", "value") == EXPECTED[mode]
    assert lake.quarantine() == ["r100", "r101"]
    assert lake.state().seq == 2
