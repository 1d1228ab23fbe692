from __future__ import annotations

import argparse
from types import SimpleNamespace

import pytest

from dativo_provider.errors import MissingExtra
from dativo_provider.plugin import sync
from tests.support import requirement


@pytest.fixture
def parser():
    from airflow.cli.cli_parser import get_parser

    return get_parser()


@pytest.mark.parametrize(
    "line", [["dativo", "sync"], ["dativo", "sync", "dags"], ["dativo", "validate", "a.yaml", "b"]]
)
def test_airflows_command_line_has_our_commands(parser, line):
    assert parser.parse_args(line).func


def pools():
    from airflow.models.pool import Pool

    return {pool.pool: pool.slots for pool in Pool.get_pools() if pool.pool.startswith("dativo_")}


@requirement("ORC-05")
def test_pools_are_made_once_and_then_follow_the_configuration(airflow_db):
    sync.make_pools({"acme": 2, "globex": 1})
    assert pools() == {"dativo_acme": 2, "dativo_globex": 1}
    assert sync.make_pools({"acme": 4}) == ["pool dativo_acme: 4 slots"]
    assert pools() == {"dativo_acme": 4, "dativo_globex": 1}


@requirement("ING-15")
def test_each_source_gets_a_pool_as_large_as_its_most_careful_job_and_its_tenant_allow(airflow_db, tmp_path):
    jobs = tmp_path / "tenants" / "acme" / "jobs"
    jobs.mkdir(parents=True)
    (tmp_path / "tenants" / "acme" / "tenant.yaml").write_text("tenant_id: acme\n")
    text = (
        "source_connector: postgres\nsource: {{table: public.t, connection_id: {id}, pool_size: {size}}}\n"
        "target_connector: iceberg\n"
    )
    for name, connection, size in (("a", "acme_shop", 7), ("b", "acme_shop", 3), ("c", "acme_crm", 9)):
        (jobs / f"{name}.yaml").write_text(text.format(id=connection, size=size))
    (jobs / "broken.yaml").write_text("source_connector: postgres\nsource: {tabel: x}\n")
    slots = sync.source_slots(tmp_path, {"acme": 8})
    assert slots == {"dativo_acme.acme_shop": 3, "dativo_acme.acme_crm": 8}
    assert "pool dativo_acme.acme_shop: 3 slots" in sync.make_source_pools(slots)
    assert pools()["dativo_acme.acme_crm"] == 8


def test_roles_without_the_fab_provider_say_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "airflow.providers.fab.auth_manager.cli_commands.utils", None)
    with pytest.raises(MissingExtra, match="FAB auth manager"):
        sync.make_roles(["acme"])


def test_roles_are_made_for_every_tenant(monkeypatch):
    made = []

    class Builder:
        sm = SimpleNamespace(add_role=made.append)

        def __enter__(self):
            return self

        def __exit__(self, *_error): ...

    utils = SimpleNamespace(get_application_builder=Builder)
    monkeypatch.setitem(__import__("sys").modules, "airflow.providers.fab.auth_manager.cli_commands.utils", utils)
    assert sync.make_roles(["acme"]) == ["role dativo_acme: DAG Runs, DAGs of its own DAGs"]
    assert made == ["dativo_acme"]


JOB = "tenant_id: {tenant}\nsource_connector: csv\ntarget_connector: iceberg\nsource: {{files: [{{path: x.csv}}]}}\n"


@pytest.fixture
def folder(tmp_path):
    for tenant in ("acme", "globex"):
        jobs = tmp_path / "tenants" / tenant / "jobs"
        jobs.mkdir(parents=True)
        (jobs / "orders.yaml").write_text(JOB.format(tenant=tenant))
    (tmp_path / "runner.yaml").write_text("orchestrator: {concurrency_per_tenant: 3}\n")
    return tmp_path


@requirement("ORC-05")
def test_every_tenant_of_the_folder_gets_the_slots_of_the_runner_file(folder, airflow_db, capsys):
    sync.sync_command(argparse.Namespace(folder=str(folder)))
    assert capsys.readouterr().out.splitlines() == ["pool dativo_acme: 3 slots", "pool dativo_globex: 3 slots"]


def test_validate_prints_each_finding_and_ends_with_2(folder, capsys):
    broken = folder / "tenants" / "acme" / "jobs" / "orders.yaml"
    broken.write_text(JOB.format(tenant="acme") + "colour: red\n")
    with pytest.raises(SystemExit) as ended:
        sync.validate_command(argparse.Namespace(paths=[str(broken)]))
    assert ended.value.code == 2
    assert "orders.yaml:5:1" in capsys.readouterr().out


def test_a_broken_runner_file_stops_sync_with_its_place(folder, capsys):
    (folder / "runner.yaml").write_text("runner: {orchestrator: {schedule: []}}\n")
    with pytest.raises(SystemExit) as ended:
        sync.sync_command(argparse.Namespace(folder=str(folder)))
    assert ended.value.code == 2
    assert "runner.yaml:1" in capsys.readouterr().err


@requirement("ORC-05", "TEN-01")
def test_a_tenants_own_concurrency_wins(folder):
    (folder / "tenants" / "acme" / "tenant.yaml").write_text("tenant_id: acme\nconcurrency: 7\n")
    assert sync.tenant_slots(folder) == {"acme": 7, "globex": 3}
