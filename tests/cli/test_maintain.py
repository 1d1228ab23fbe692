from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import World
from tests.support import requirement

WANTED = "maintenance: {min_files: 2, min_manifests: 2, target_size_mb: 1}\n"


@pytest.fixture
def grown(world: World) -> World:
    """Three runs."""
    world.job.write_text(world.job.read_text() + WANTED)
    assert world.run().code == 1
    for number in (10, 20):
        text = next(world.data.glob("*.csv")).read_text().splitlines()
        (world.data / f"orders_{number}.csv").write_text("\n".join([text[0], f"{number},{text[1].partition(',')[2]}"]))
        assert world.run().code in (0, 1)
    return world


@requirement("TAG-08")
def test_a_jobs_tables_are_compacted_and_nothing_is_lost(grown: World) -> None:
    before = grown.query("SELECT count(*) AS n FROM orders", "--json").json
    planned = grown.dativo("maintain", "--config", grown.job, "--dry-run", "--only", "compact", "--json")
    assert planned.code == 0, planned.err
    assert planned.json[0]["outcome"] == "planned"
    done = grown.dativo("maintain", "--config", grown.job, "--json")
    assert done.code == 0, done.err
    found = {(each["table"], each["job"]): each for each in done.json}
    compacted = found["example.orders", "compact"]
    assert (compacted["outcome"], compacted["after"]["files"]) == ("done", 1)
    assert compacted["before"]["files"] == planned.json[0]["before"]["files"] > 1
    assert grown.query("SELECT count(*) AS n FROM orders", "--json").json == before


def test_it_says_what_it_did(grown: World) -> None:
    said = grown.dativo("maintain", "--job-dir", grown.job.parent, "--only", "compact,manifests").out
    assert "example.orders" in said
    assert "→ 1 data files" in said
    assert grown.dativo("maintain", "--config", grown.job, "--quiet").out == ""


def test_a_table_by_name(grown: World) -> None:
    done = grown.dativo("maintain", "--table", "example.orders", "--only", "statistics", "--json")
    assert done.json[0]["facts"]["table_rows"] > 0
    assert grown.dativo("maintain", "--table", "example.nothing").code == 2


def test_unknown_jobs_are_refused(grown: World) -> None:
    refused = grown.dativo("maintain", "--config", grown.job, "--only", "vacuum")
    assert refused.code == 2
    assert "compact, manifests, expire" in refused.err


def test_wrong_thresholds_are_found_by_validate(world: World) -> None:
    world.job.write_text(world.job.read_text() + "maintenance: {min_files: 1, retention: 5}\n")
    said = world.dativo("validate", world.job)
    assert said.code == 2
    assert "min_files" in said.out + said.err
    assert "retention" in said.out + said.err


def test_a_tenants_thresholds_hold_for_its_jobs_and_a_jobs_own_go_over_them(world: World) -> None:
    from dativo_provider.config import load_job

    tenant: Path = world.tenant / "tenant.yaml"
    tenant.write_text(tenant.read_text() + "maintenance: {retention_days: 30, min_files: 9, jobs: [compact]}\n")
    world.job.write_text(world.job.read_text() + "maintenance: {min_files: 4}\n")
    spec = load_job(world.job).maintenance
    assert (spec.retention_days, spec.min_files, spec.jobs, spec.target_mb) == (30, 4, ("compact",), 150)
