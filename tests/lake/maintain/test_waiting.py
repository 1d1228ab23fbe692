"""A run that waits for its approval comes through all care of its table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.lake.maintain import JOBS
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.stream import Cursor
from dativo_provider.vocabulary import WriteMode
from tests.lake.maintain.support import age, head, maintain, small_files
from tests.lake.support import Lake, job, settings
from tests.support import requirement

LATER = {"later": 30.0}
MODES: tuple[WriteMode, ...] = ("append", "merge", "replace")


def put(lake: Lake, rows: list[int]) -> tuple[Plan, Manifest]:
    plan = lake.plan()
    made = lake.extract(plan, rows, [900])
    assert lake.publish(plan, [made], 20).outcome == "waiting"
    return plan, made


@requirement("MKV-09", "ING-25")
@pytest.mark.parametrize("mode", MODES)
def test_a_waiting_run_is_what_it_was_after_all_maintenance(tmp_path: Path, mode: WriteMode) -> None:
    rows = small_files(Lake(settings(tmp_path)))
    lake = Lake(settings(tmp_path), job(publish="branch", mode=mode))
    plan, made = put(lake, [5, 1000])
    age(tmp_path, days=30)
    before = head(lake).snapshot_id
    outcomes = {name: maintain(lake, name, **LATER).outcome for name in JOBS}
    assert (outcomes["compact"], outcomes["expire"]) == ("done", "done")
    assert head(lake).snapshot_id != before
    table = lake.target.table(lake.name())
    wanted = {"append": sorted([*rows, 5, 1000]), "merge": [*rows, 1000], "replace": [5, 1000]}[mode]
    on_branch = table.scan().use_ref(f"audit_{plan.plan_id}").to_arrow()["id"].to_pylist()
    assert sorted(on_branch) == wanted
    assert lake.target.approve(plan, [made], Cursor({"value": 20})).outcome == "committed"
    assert (sorted(lake.ids()), lake.quarantine()) == (wanted, ["r900"])


@requirement("ING-25")
def test_the_branch_of_a_run_put_on_top_of_others_expires_and_its_rows_stay(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(publish="branch"))
    plan, made = put(lake, [1])
    Lake(lake.settings, replace(job(), id="returns", name="returns")).run([50])
    lake.target.approve(plan, [made], Cursor({"value": 20}))
    age(tmp_path, days=30)
    for name in JOBS:
        maintain(lake, name, **LATER)
    assert len(lake.target.table(lake.name()).metadata.snapshots) == 1
    assert lake.ids() == [1, 50]
