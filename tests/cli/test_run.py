from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command, World
from tests.support import requirement


@requirement("ERR-06", "CLI-04", "CLI-05")
def test_dirty_rows_are_reported_and_the_exit_code_is_1(world: World) -> None:
    ran = world.run()
    assert ran.code == 1, ran.err
    for fact in (
        "6 extracted = 4 accepted + 2 quarantined",
        "the books balance",
        "example.orders",
        "snapshot",
        "what next",
    ):
        assert fact in ran.out


@requirement("ERR-06", "REG-07")
def test_an_empty_increment_is_success(world: World) -> None:
    world.run()
    ran = world.run()
    assert ran.code == 0
    assert "nothing new" in ran.out


def test_a_new_file_is_all_the_next_run_reads(world: World) -> None:
    world.run()
    (world.data / "more.csv").write_text(
        "id,email,amount,ordered_at\n7,jolly.yak@example.com,1.00,2026-03-05T00:00:00Z\n"
    )
    ran = world.run("--json")
    assert ran.code == 0
    assert ran.json["streams"][0]["books"]["extracted"] == 1
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 5}]


def test_a_dry_run_shows_verdict_and_samples_and_publishes_nothing(world: World) -> None:
    ran = world.run("--dry-run", "--limit", "3")
    assert ran.code == 1, ran.err
    assert "nothing was published" in ran.out
    assert "would be in the table" in ran.out
    assert "would be published without the rows that broke a rule" in ran.out
    assert "3 extracted" in ran.out
    assert "12.50" in ran.out
    assert "brave.otter" not in ran.out  # personal by contract
    assert world.query("select 1 from orders").code == 2
    assert world.dativo("runs", "--json").json == []


@requirement("ERR-06")
def test_strict_contracts_block_and_the_staged_rows_can_be_asked(world: World) -> None:
    world.edit(world.job, "source:\n", "schema_validation_mode: strict\nsource:\n")
    ran = world.run("--json")
    assert ran.code == 2
    [stream] = ran.json["streams"]
    assert stream["status"] == "blocked"
    staged = world.query("select count(*) as n from orders", "--json", "--run", stream["plan_id"])
    aside = world.query("select raw from orders_quarantine", "--json", "--run", stream["plan_id"])
    assert staged.json[0]["n"] + len(aside.json) == 6
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 0}]


def test_a_full_refresh_replaces_the_rows(world: World) -> None:
    world.run()
    ran = world.run("--full-refresh", "--json")
    assert ran.json["streams"][0]["books"]["extracted"] == 6
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 4}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--limit", "5"], "--limit would publish a part of the source"),
        (["--full-refresh", "--from", "2026-01-01"], "--full-refresh reads everything"),
        (["--limit", "0"], "not a positive number"),
        (["--tenant-id", "globex"], "belongs to tenant 'example'"),
        (["--secret-manager", "vault"], "vault"),
        (["--secret-manager", "nonsense"], "nonsense"),
    ],
)
def test_wrong_options_are_explained(words: list[str], message: str, world: World) -> None:
    ran = world.run(*words)
    assert ran.code == 2
    assert message in ran.err


@requirement("ERR-08")
def test_a_missing_file_and_a_broken_one_are_explained_without_a_traceback(world: World) -> None:
    ran = world.dativo("run", "--config", "nowhere.yaml")
    assert ran.code == 2
    assert "nowhere.yaml" in ran.err
    assert "report" not in ran.err
    world.edit(world.job, "source_connector: csv", "source_connector: cvs")
    ran = world.run()
    assert ran.code == 2
    assert "orders.yaml:4" in ran.err
    assert "Traceback" not in ran.err


def test_a_first_run_that_finds_nothing_asks_whether_the_path_is_right(world: World) -> None:
    for file in world.data.iterdir():
        file.unlink()
    ran = world.run()
    assert (ran.code, "dativo check" in ran.out) == (0, True)
    assert world.dativo("check", "--config", world.job).code == 2


@requirement("ERR-08")
def test_a_source_folder_that_is_gone_is_an_error_that_names_it(world: World) -> None:
    shutil.rmtree(world.data)
    ran = world.run()
    assert ran.code == 2
    assert str(world.data) in ran.out


def test_the_example_of_an_unsupported_connector_is_refused_by_name(dativo: Command) -> None:
    ran = dativo("run", "--config", Path(__file__).parent / "snippets" / "aws_billing_to_iceberg.yaml")
    assert ran.code == 2
    assert "aws_cost_explorer" in ran.out + ran.err
    assert "report" not in ran.err


def second_job(world: World) -> Path:
    path = world.job.with_name("again.yaml")
    path.write_text(world.job.read_text().replace("object: orders", "object: orders_again"))
    path.write_text(path.read_text().replace("asset_path: ../contracts/orders.odcs.yaml\n", ""))
    return path


@requirement("CLI-04", "ERR-06")
def test_a_folder_runs_every_job_and_folds_the_codes(world: World) -> None:
    second_job(world)
    ran = world.dativo("run", "--job-dir", world.job.parent, "--json")
    assert ran.code == 1, ran.err
    assert {stream["job"] for stream in ran.json["streams"]} == {"orders", "again"}
    for file in world.data.iterdir():
        file.unlink()
    assert world.dativo("run", "--job-dir", world.job.parent).code == 2


def test_a_folder_of_two_tenants_is_refused_before_anything_runs(world: World) -> None:
    flat = world.folder / "flat"
    flat.mkdir()
    for tenant in ("one", "two"):
        (flat / f"{tenant}.yaml").write_text(
            f"tenant_id: {tenant}\nsource_connector: postgres\nsource: {{table: public.t, connection: {{host: db}}}}\n"
        )
    ran = world.dativo("run", "--job-dir", flat)
    assert ran.code == 2
    assert "several tenants: one, two" in ran.err
    assert world.dativo("run", "--job-dir", world.folder / "nowhere").code == 2
    (world.folder / "empty").mkdir()
    assert "no job" in world.dativo("run", "--job-dir", world.folder / "empty").err


def subprocess_of(world: World, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dativo_provider.cli.main", *words]
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)}, cwd=world.folder,
    )  # fmt: skip


@requirement("OBS-06")
def test_logs_off_a_terminal_are_json_lines_with_the_known_events(world: World) -> None:
    process = subprocess_of(world, "run", "--config", str(world.job))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    lines = [json.loads(line) for line in err.splitlines()]
    events = {line.get("event_type") for line in lines}
    assert {"job_started", "job_validated", "commit_success", "job_finished"} <= events
    assert all(line["tenant_id"] == "example" for line in lines if line.get("event_type") == "commit_success")
    assert any(line.get("rows") == 6 for line in lines)  # progress, where there is no terminal to show it on
    assert "books balance" in out


def test_quiet_prints_nothing_about_a_success(world: World) -> None:
    world.run()
    process = subprocess_of(world, "run", "--quiet", "--config", str(world.job))
    assert process.communicate(timeout=120) == ("", "")
    assert process.returncode == 0


@requirement("CLI-05")
def test_ctrl_c_cancels_the_run_and_publishes_nothing(world: World) -> None:
    shutil.copy(world.data / "orders.csv", world.data / "large.csv")
    with (world.data / "large.csv").open("a") as out:
        for number in range(1_500_000):
            out.write(f"{number + 100},brave.otter@example.com,1.00,2026-03-01T00:00:00Z\n")
    process = subprocess_of(world, "run", "--config", str(world.job))
    assert process.stderr is not None
    for line in process.stderr:
        if "job_validated" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2, out + err
    assert "cancel" in out + err
    assert "Traceback" not in err
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 0}]
