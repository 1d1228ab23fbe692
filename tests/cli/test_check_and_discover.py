from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Command, World
from tests.services.postgres import Database
from tests.support import requirement


@requirement("CLI-04")
def test_check_says_that_both_sides_answer(world: World) -> None:
    checked = world.dativo("check", "--config", world.job, "--json")
    assert checked.code == 0, checked.out
    assert {side: found["status"] for side, found in checked.json.items()} == {"source": "success", "target": "success"}
    assert "example.orders will be made" in checked.json["target"]["message"]
    assert "source ok: " in world.dativo("check", "--config", world.job).out


def test_check_says_that_a_pattern_matches_nothing(world: World) -> None:
    world.edit(world.job, "*.csv", "elsewhere/*.csv")
    checked = world.dativo("check", "--config", world.job)
    assert checked.code == 0, checked.err
    assert "nothing is there to read yet" in checked.out


def test_check_fails_with_2_and_says_which_side(world: World) -> None:
    for file in world.data.iterdir():
        file.unlink()
    checked = world.dativo("check", "--config", world.job, "--json")
    assert checked.code == 2
    assert checked.json["source"]["status"] == "failed"
    assert checked.json["source"]["error_code"]
    assert checked.json["target"]["status"] == "success"


def test_discover_lists_the_files_of_a_job(world: World) -> None:
    found = world.dativo("discover", "--config", world.job, "--json")
    assert found.code == 0, found.err
    assert found.json["count"] == 1
    assert [field["name"] for field in found.json["objects"][0]["fields"]] == ["id", "email", "amount", "ordered_at"]
    assert "columns" in world.dativo("discover", "--config", world.job).out


def test_a_discovered_contract_validates_and_runs(world: World) -> None:
    reference = "asset_path: ../contracts/orders.odcs.yaml\n"
    world.contract.unlink()
    world.edit(world.job, reference, "")
    written = world.dativo("discover", "--config", world.job, "--write", world.contract)
    assert written.code == 0, written.err
    world.edit(world.job, "source:\n", f"{reference}source:\n")
    assert world.dativo("validate", world.tenant).code == 0
    assert world.run().code in (0, 1)


@pytest.mark.parametrize("text", ["{secret", "[1]"])
def test_a_wrong_connection_is_never_repeated(text: str, dativo: Command) -> None:
    found = dativo("discover", "--connector", "postgres", "--connection", text)
    assert found.code == 2
    assert "secret" not in found.err


def test_an_unknown_connector_names_the_nearest(dativo: Command) -> None:
    found = dativo("discover", "--connector", "postgers")
    assert found.code == 2
    assert "postgres" in found.err


@pytest.fixture
def shop(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("DATIVO_SECRET__EXAMPLE__SHOP", database.params["password"])
    database.execute(
        "create table orders (id bigint primary key, customer_email text not null, total numeric(12,2) not null, "
        "details jsonb, created_at timestamptz not null, updated_at timestamptz not null)",
        "comment on column orders.total is 'what was paid'",
        "insert into orders select n, 'customer' || n || '@example.com', n * 1.5, '{}', now() - interval '1 day', "
        "now() - interval '1 day' from generate_series(1, 50) n",
    )
    return database


def postgres_job(world: World, database: Database, **more: object) -> Path:
    job = world.job.with_name("shop.yaml")
    os.environ["DATIVO_SECRET__EXAMPLE__SHOP"] = database.params["password"]  # the fixture's monkeypatch undoes it
    source = {
        "connection": {**database.params, "password": "${SECRET:shop}"},
        "tables": [{"name": "public.orders", "object": "orders", "cursor_field": "updated_at"}],
        "incremental": {"strategy": "updated_at", "cursor_field": "updated_at"},
        **more,
    }
    job.write_text(json.dumps({"tenant_id": "example", "source_connector": "postgres", "source": source}))
    return job


def test_postgres_is_discovered_with_keys_and_comments(dativo: Command, shop: Database, tmp_path: Path) -> None:
    words = ("discover", "--connector", "postgres", "--connection", json.dumps(shop.params))
    found = dativo(*words, "--json")
    assert found.code == 0, found.err
    [table] = [each for each in found.json["objects"] if each["name"].endswith("orders")]
    assert list(table["primary_key"]) == ["id"]
    assert any(field["description"] == "what was paid" for field in table["fields"])
    assert shop.params["password"] not in found.out + found.err
    assert dativo(*words, "--object", table["name"], "--write", tmp_path / "orders.odcs.yaml").code == 0
    assert dativo("validate", tmp_path / "orders.odcs.yaml").code == 0
    assert "it offers" in dativo(*words, "--object", "nothing").err


def test_a_postgres_job_runs_by_the_command_line(world: World, shop: Database) -> None:
    job = postgres_job(world, shop)
    assert world.dativo("check", "--config", job).code == 0
    ran = world.dativo("run", "--config", job, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["streams"][0]["books"]["accepted"] == 50
    assert shop.params["password"] not in ran.out + ran.err


def test_a_connection_of_the_environment_is_used(world: World, shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EXAMPLE_SHOP", shop.url)
    job = postgres_job(world, shop, connection={}, connection_id="example_shop")
    checked = world.dativo("check", "--config", job)
    assert checked.code == 0, checked.out


@requirement("ERR-08")
def test_a_wrong_password_a_missing_table_and_a_missing_connection_are_explained(world: World, shop: Database) -> None:
    wrong = replace(shop, url=shop.url.replace(shop.params["password"], "wrong-s3cret"))
    checked = world.dativo("check", "--config", postgres_job(world, wrong), "--json")
    assert checked.code == 2
    assert checked.json["source"]["error_code"] == "AUTHENTICATION_FAILED"
    assert "wrong-s3cret" not in checked.out + checked.err
    job = postgres_job(world, shop, tables=["public.oders"])
    checked = world.dativo("check", "--config", job)
    assert checked.code == 2
    assert "oders" in checked.out
    job = postgres_job(world, shop, connection={}, connection_id="example_missing")
    checked = world.dativo("check", "--config", job)
    assert checked.code == 2
    assert "AIRFLOW_CONN_EXAMPLE_MISSING" in checked.out


def test_files_are_discovered_without_a_job(world: World, dativo: Command) -> None:
    found = dativo("discover", "--connector", "csv", "--connection", json.dumps({"path": str(world.data)}), "--json")
    assert found.code == 0, found.err
    assert found.json["count"] == 1
