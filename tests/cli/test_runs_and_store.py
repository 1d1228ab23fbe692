from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command, World
from tests.support import requirement


@requirement("CLI-04")
def test_runs_are_listed_newest_first_and_filtered(world: World) -> None:
    assert "no runs yet in " in world.dativo("runs").out
    assert "no such runs" in world.dativo("runs", "--tenant-id", "nobody").out
    world.run()
    world.run()
    listed = world.dativo("runs")
    assert listed.out.index("nothing_new") < listed.out.index("published")
    assert len(world.dativo("runs", "--json").json) == 2
    assert len(world.dativo("runs", "--limit", "1", "--json").json) == 1
    assert len(world.dativo("runs", "--job", "example.orders", "--json").json) == 2
    assert world.dativo("runs", "--tenant", "globex", "--json").json == []
    assert world.dativo("runs", "--job", "other", "--json").json == []


def test_a_remembered_run_can_be_reported_again(world: World) -> None:
    world.run()
    report = world.dativo("runs", "--last", "--report").out
    for fact in ("6 extracted = 4 accepted + 2 quarantined", "snapshot", "•••", "12.50", "amount"):
        assert fact in report


def test_a_lost_store_is_rebuilt_from_the_lake(world: World) -> None:
    world.run()
    world.run()
    before = world.dativo("runs", "--json").json
    for file in (world.folder / "home").glob("store.db*"):
        file.unlink()
    assert world.dativo("runs", "--json").json == []
    rebuilt = world.dativo("store", "rebuild")
    assert rebuilt.code == 0, rebuilt.err
    assert "2 runs" in rebuilt.out
    after = world.dativo("runs", "--json").json
    kept = ("plan_id", "status", "tenant", "job", "books", "snapshot_id", "table")
    assert [[run[name] for name in kept] for run in after] == [[run[name] for name in kept] for run in before]
    assert world.dativo("store", "rebuild", "--quiet").out == ""


def test_a_blocked_run_is_rebuilt_as_blocked(world: World) -> None:
    world.edit(world.job, "source:\n", "schema_validation_mode: strict\nsource:\n")
    world.run()
    for file in (world.folder / "home").glob("store.db*"):
        file.unlink()
    world.dativo("store", "rebuild")
    assert [run["status"] for run in world.dativo("runs", "--json").json] == ["blocked"]


def test_the_store_can_be_upgraded_at_any_time(dativo: Command, tmp_path: Path) -> None:
    for _ in range(2):
        done = dativo("store", "upgrade")
        assert done.code == 0
        assert "revision" in done.out
    assert dativo("store", "downgrade").code == 2


def test_a_store_of_files_is_compacted_and_still_knows_its_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATIVO_STORE_URI", str(world.folder / "store"))
    world.run()
    before = world.dativo("runs", "--json").json
    done = world.dativo("store", "compact")
    assert done.code == 0, done.err
    assert "days are folded" in done.out
    assert world.dativo("runs", "--json").json == before


def test_a_database_store_says_that_it_needs_no_compaction(world: World) -> None:
    world.run()
    assert "database" in world.dativo("store", "compact").out
