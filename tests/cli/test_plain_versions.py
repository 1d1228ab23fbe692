"""The verbs for versions and care, for a job that publishes plain Parquet files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import World
from tests.cli.test_versions import dativo, rows, snapshots
from tests.support import requirement

WANTED = "maintenance: {min_files: 2, min_manifests: 2, target_size_mb: 1}\n"


@pytest.fixture
def twice(world: World) -> World:
    """Two runs into folders; the second brings one row."""
    world.edit(world.job, "target_connector: iceberg", "target_connector: parquet")
    world.job.write_text(world.job.read_text() + WANTED)
    world.run()
    lines = (world.data / "orders.csv").read_text().splitlines()
    (world.data / "more.csv").write_text("\n".join([lines[0], lines[1].replace("1,", "77,", 1)]) + "\n")
    assert world.run().code == 0
    return world


def published(world: World) -> list[Path]:
    root = world.folder / "home" / "warehouse" / "parquet"
    return [path for path in root.rglob("orders_*.parquet") if "_dativo" not in path.parts[:-1]]


@requirement("ML-04", "SN-22", "CON-32")
def test_versions_are_listed_named_and_read(twice: World) -> None:
    newest, oldest = snapshots(twice)
    assert (oldest["rows_in"], newest["rows_in"], newest["current"]) == (4, 1, True)
    assert dativo(twice, "tag", "model_v1", "--snapshot", str(oldest["snapshot_id"])).code == 0
    assert "model_v1" in dativo(twice, "tag", "--list").out
    for version in ("model_v1", oldest["at"], str(oldest["snapshot_id"])):
        assert rows(twice, "--as-of", version) == 4
    refused = dativo(twice, "branch", "trial")
    assert refused.code == 2
    assert "no branches" in refused.err
    assert "dativo tag" in refused.err


@requirement("SN-22", "ING-25")
def test_a_rollback_empties_the_folders_too_and_the_next_run_fills_them(twice: World) -> None:
    before = set(published(twice))
    assert dativo(twice, "rollback", "--to", str(snapshots(twice)[1]["snapshot_id"])).code == 0
    assert len(before - set(published(twice))) == 1
    assert rows(twice) == 4
    twice.run()
    assert rows(twice) == 5


@requirement("TAG-08")
def test_its_tables_are_cared_for(twice: World) -> None:
    planned = dativo(twice, "maintain", "--dry-run", "--only", "compact", "--json")
    assert planned.json[0]["outcome"] == "planned", planned.err
    done = dativo(twice, "maintain", "--json")
    assert done.code == 0, done.err
    found = {(each["table"].rpartition(".")[2], each["job"]): each for each in done.json}
    assert (found["orders", "compact"]["outcome"], found["orders", "compact"]["after"]["files"]) == ("done", 1)
    assert {each["outcome"] for each in done.json} <= {"done", "nothing"}
    assert rows(twice) == 5
    old = snapshots(twice)[-1]["snapshot_id"]
    refused = twice.query("select 1 from orders", "--as-of", str(old))
    assert refused.code == 2
    assert "left the folders" in refused.err
