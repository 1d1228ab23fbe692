from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer, World
from tests.support import requirement


def dativo(world: World, verb: str, *words: str | Path) -> Answer:
    return world.dativo(verb, "--config", world.job, *words)


def snapshots(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dativo(world, "snapshots", "--json").json[0]["snapshots"]
    return found


def rows(world: World, *words: str) -> int:
    answer = world.query("select count(*) as n from orders", "--json", *words)
    assert answer.code == 0, answer.err
    return int(answer.json[0]["n"])


@pytest.fixture
def twice(world: World) -> World:
    """Two runs; the second brings one row."""
    world.run()
    lines = (world.data / "orders.csv").read_text().splitlines()
    (world.data / "more.csv").write_text("\n".join([lines[0], lines[1].replace("1,", "77,", 1)]) + "\n")
    assert world.run().code == 0
    return world


@requirement("ML-04", "SN-22")
def test_snapshots_tell_who_made_them_and_what_they_changed(twice: World) -> None:
    newest, oldest = snapshots(twice)
    assert (oldest["rows_in"], newest["rows_in"], newest["rows"]) == (4, 1, 5)
    assert (newest["current"], oldest["current"], oldest["on_main"]) == (True, False, True)
    assert newest["run"] == twice.dativo("runs", "--json").json[0]["plan_id"]
    shown = dativo(twice, "snapshots")
    assert str(oldest["snapshot_id"]) in shown.out


@requirement("SN-22", "ING-25", "MKV-09")
def test_a_rollback_undoes_a_run_and_the_next_run_brings_its_rows_again(twice: World) -> None:
    _newest, oldest = snapshots(twice)
    done = dativo(twice, "rollback", "--to", str(oldest["snapshot_id"]))
    assert done.code == 0, done.err
    assert "1 snapshot undone" in done.out
    assert "cursors set back: orders.orders" in done.out
    assert rows(twice) == 4
    assert twice.dativo("runs", "--json").json[0]["status"] == "rolled_back"
    twice.run()
    assert rows(twice) == 5


@requirement("SN-22")
def test_with_a_kept_cursor_the_rows_stay_away(twice: World) -> None:
    assert dativo(twice, "tag", "good", "--snapshot", str(snapshots(twice)[1]["snapshot_id"])).code == 0
    assert dativo(twice, "rollback", "--to", "good", "--keep-cursor").code == 0
    twice.run()
    assert rows(twice) == 4


@requirement("ML-04", "MKV-09")
def test_a_tag_and_a_time_are_read_as_they_were(twice: World) -> None:
    newest, oldest = snapshots(twice)
    assert dativo(twice, "tag", "model_v1", "--snapshot", str(oldest["snapshot_id"])).code == 0
    assert dativo(twice, "branch", "trial").code == 0
    assert "model_v1" in dativo(twice, "tag", "--list").out
    assert "model_v1" not in dativo(twice, "branch", "--list").out
    for version in ("model_v1", oldest["at"], str(oldest["snapshot_id"])):
        assert rows(twice, "--as-of", version) == 4
    for version in ("trial", newest["at"]):
        assert rows(twice, "--as-of", version) == 5
    assert dativo(twice, "tag", "model_v1", "--delete").code == 0
    assert twice.query("select 1 from orders", "--as-of", "model_v1").code == 2


@requirement("SN-22")
def test_there_is_no_way_to_a_version_that_was_undone(twice: World) -> None:
    newest, oldest = snapshots(twice)
    dativo(twice, "rollback", "--to", str(oldest["snapshot_id"]))
    refused = dativo(twice, "rollback", "--to", str(newest["snapshot_id"]))
    assert refused.code == 2
    assert "not in the past of main" in refused.err
    assert rows(twice, "--as-of", str(newest["snapshot_id"])) == 5


def test_mistakes_are_explained(world: World) -> None:
    assert "run it first" in dativo(world, "snapshots").err
    world.run()
    for words in (["tag", "1x"], ["tag", "main"], ["tag", "gone", "--delete"], ["rollback", "--to", "nowhere"]):
        assert dativo(world, *words).code == 2, words
