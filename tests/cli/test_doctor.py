from __future__ import annotations

import pytest

from tests.cli.conftest import Command, World


def test_a_healthy_deployment_is_ok_line_by_line(world: World) -> None:
    done = world.dativo("doctor", world.folder / "dags", "--sources")
    assert done.code == 0, done.out + done.err
    lines = done.out.splitlines()
    assert all(line.startswith(("ok    ", "warn  ", "      ")) for line in lines), done.out
    for check in ("executor", "catalog", "warehouse", "clock", "store", "sources"):
        assert any(line[6:].startswith(check) for line in lines), check


def test_a_failure_ends_with_2_and_its_remedy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATIVO_DISTRIBUTED", "true")
    done = world.dativo("doctor")
    assert done.code == 2
    assert "fail  executor" in done.out
    assert "→ set [dativo] catalog_uri" in done.out


def test_broken_jobs_are_named(world: World) -> None:
    world.job.write_text("tenant_id: example\ncolour: red\n")
    done = world.dativo("doctor", world.folder / "dags", "--json")
    assert done.code == 2
    assert any(each["check"] == "jobs" and "orders.yaml" in each["message"] for each in done.json)


def test_a_folder_that_is_not_there_is_refused(dativo: Command) -> None:
    assert dativo("doctor", "nowhere").code == 2
