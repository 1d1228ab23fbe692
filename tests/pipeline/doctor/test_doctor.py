"""A healthy deployment passes every check; each ailment is found and comes with its remedy."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

from dativo_provider.envs.make import create
from dativo_provider.errors import CredentialError
from dativo_provider.files.local import LocalFiles
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings
from dativo_provider.pipeline.doctor import CHECKS, Finding, Patient, environments, examine
from dativo_provider.pipeline.doctor import memory as memory_check
from tests.connectors.bridge.support import an_environment
from tests.envs.support import a_recipe, a_wheel
from tests.pipeline.build import Bench
from tests.services.postgres import Database
from tests.services.s3 import S3


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.csv("orders.csv", "1,north,1.50,")
    return made


def findings(patient: Patient) -> dict[str, Finding]:
    """The worst of each check."""
    order = {"ok": 0, "warn": 1, "fail": 2}
    found: dict[str, Finding] = {}
    for each in examine(patient):
        if each.check not in found or order[each.status] > order[found[each.check].status]:
            found[each.check] = each
    return found


def of(bench: Bench, **more: object) -> Patient:
    return Patient(bench.context(), (bench.spec(),), **more)  # type: ignore[arg-type]


def test_a_healthy_deployment_has_no_failure_and_nothing_is_left_behind(bench: Bench) -> None:
    found = findings(of(bench, sources=True))
    assert {check: each.message for check, each in found.items() if each.status == "fail"} == {}
    assert set(found) == set(CHECKS)
    left = [path for path in (bench.home / "warehouse").rglob("*") if path.is_file()]
    assert left == []
    assert bench.context().settings.catalog.warehouse.endswith("warehouse")


def test_a_server_and_an_object_store_are_healthy_too(tmp_path: Path, database: Database, bucket: str, s3: S3) -> None:
    catalog = CatalogSettings(
        properties={"type": "sql", "uri": database.url, **s3.properties},
        warehouse=f"s3://{bucket}/lake",
        embedded=False,
    )
    store = StoreSettings("lake", f"s3://{bucket}/lake/_dativo", embedded=False)
    settings = Settings(home=str(tmp_path), catalog=catalog, store=store, distributed=True)
    found = findings(Patient(RunContext(settings), executor="CeleryExecutor"))
    assert {check: each.message for check, each in found.items() if each.status == "fail"} == {}
    assert "shared" in found["executor"].message


def test_embedded_parts_with_several_machines_are_an_error(bench: Bench) -> None:
    patient = of(bench, executor="CeleryExecutor")
    patient.ctx.settings = replace(patient.ctx.settings, distributed=True)
    found = findings(patient)["executor"]
    assert found.status == "fail"
    assert "catalog_uri, warehouse" in found.remedy


def test_a_store_that_ignores_conditional_puts_is_found(bench: Bench) -> None:
    def overwrite(self: LocalFiles, uri: str, data: bytes) -> bool:
        self.write(uri, data)
        return True

    with mock.patch.object(LocalFiles, "write_new", overwrite):
        assert findings(of(bench))["warehouse"].status == "fail"


def test_a_warehouse_without_the_right_to_delete_is_found(bench: Bench) -> None:
    real = LocalFiles.delete

    def refuse(self: LocalFiles, uri: str) -> None:
        if "/_dativo/doctor/" in uri:
            raise CredentialError("not allowed", remedy="grant delete")
        real(self, uri)

    with mock.patch.object(LocalFiles, "delete", refuse):
        found = findings(of(bench))["warehouse"]
    assert (found.status, found.remedy) == ("fail", "grant delete")


def test_a_catalog_that_lets_two_writers_commit_is_found(bench: Bench) -> None:
    with mock.patch("dativo_provider.pipeline.doctor.catalog.guard"):
        found = findings(of(bench))["catalog"]
    import pyiceberg

    expected = "fail" if pyiceberg.__version__ >= "0.12" else "ok"  # 0.11 never repeats a stale append
    assert found.status == expected


def test_a_catalog_without_the_right_to_create_is_named_with_the_step(bench: Bench) -> None:
    from pyiceberg.catalog.sql import SqlCatalog

    with mock.patch.object(SqlCatalog, "create_table", side_effect=RuntimeError("no rights")):
        found = findings(of(bench))["catalog"]
    assert found.status == "fail"
    assert found.message.startswith("it could not create a table: RuntimeError: no rights")
    with mock.patch.object(SqlCatalog, "create_namespace", side_effect=RuntimeError("no rights")):
        assert "create a namespace" in findings(of(bench))["catalog"].message


@pytest.mark.parametrize(("seconds", "status"), [(0, "ok"), (30, "warn"), (4000, "fail"), (-4000, "fail")])
def test_clocks_that_differ_are_found(bench: Bench, seconds: float, status: str) -> None:
    real = LocalFiles.list

    def skewed(self: LocalFiles, prefix: str) -> list[object]:
        return [replace(info, mtime=info.mtime + seconds) for info in real(self, prefix)]

    with mock.patch.object(LocalFiles, "list", skewed):
        assert findings(of(bench))["clock"].status == status


@pytest.mark.parametrize(("free", "status"), [(5e8, "fail"), (5e9, "warn"), (5e10, "ok")])
def test_a_disk_that_is_nearly_full_is_found(bench: Bench, free: float, status: str) -> None:
    with mock.patch.object(shutil, "disk_usage", return_value=SimpleNamespace(free=free)):
        assert findings(of(bench))["disk"].status == status


@pytest.mark.parametrize(("have", "status"), [(1000, "fail"), (1200, "warn"), (4000, "ok"), (None, "warn")])
def test_a_memory_limit_the_machine_cannot_hold_is_found(bench: Bench, have: int | None, status: str) -> None:
    with mock.patch.object(memory_check, "available_mb", return_value=have):
        assert findings(of(bench))["memory"].status == status


def test_a_version_outside_the_declared_range_is_found(bench: Bench) -> None:
    from importlib import metadata

    real = metadata.version
    old = mock.patch.object(metadata, "version", side_effect=lambda n: "0.9.0" if n == "pyiceberg" else real(n))
    with old:
        found = findings(of(bench))["versions"]
    assert (found.status, "pyiceberg 0.9.0" in found.message) == ("fail", True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_is_found(bench: Bench) -> None:
    bench.home.mkdir()
    bench.home.chmod(0o500)
    assert findings(of(bench))["home"].status == "fail"


def test_a_home_that_is_a_file_is_found(bench: Bench) -> None:
    bench.home.write_text("")
    assert findings(of(bench))["home"].status == "fail"


def test_a_missing_secret_is_found_by_name_and_without_any_value(bench: Bench) -> None:
    job = replace(bench.spec(), source=SourceSpec("csv", connection={"password": "${SECRET:db_password}"}))
    found = findings(Patient(bench.context(), (job,)))["secrets"]
    assert found.status == "fail"
    assert "db_password" in found.message


def test_a_source_is_asked_only_when_wished(bench: Bench) -> None:
    assert "sources" not in findings(of(bench))
    job = replace(bench.spec(), source=replace(bench.spec().source, roots=(str(bench.root / "nowhere"),)))
    assert findings(Patient(bench.context(), (job,), sources=True))["sources"].status == "fail"


@pytest.mark.parametrize(("known", "status"), [(["dativo_acme"], "ok"), ([], "fail"), (None, "warn")])
def test_missing_pools_are_found(bench: Bench, known: list[str] | None, status: str) -> None:
    patient = replace(of(bench), pools=lambda: known)
    patient.ctx.settings = replace(patient.ctx.settings, manage_pools=True)
    assert findings(patient)["pools"].status == status


def test_a_store_that_is_away_is_a_warning_and_an_old_one_a_failure(bench: Bench, database: Database) -> None:
    patient = of(bench)
    patient.ctx.settings = replace(patient.ctx.settings, store=StoreSettings("sql", database.url, embedded=False))
    found = findings(patient)["store"]
    assert (found.status, "dativo store upgrade" in found.remedy) == ("fail", True)
    away = database.url.rpartition("@")[0] + "@127.0.0.1:1/nothing"
    patient.ctx.settings = replace(patient.ctx.settings, store=StoreSettings("sql", away, embedded=False))
    assert findings(patient)["store"].status == "warn"


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(bench: Bench) -> None:
    with mock.patch("dativo_provider.pipeline.doctor.disk.check", side_effect=ZeroDivisionError):
        found = findings(of(bench))
    assert "ZeroDivisionError" in found["disk"].message
    assert found["catalog"].status == "ok"


def test_environments_are_told_as_they_are(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = a_recipe(a_wheel(tmp_path / "wheels"))
    monkeypatch.setattr(environments, "RECIPES", {"gauge": recipe})
    envs = tmp_path / "envs"
    patient = of(bench)
    patient.ctx.settings = replace(patient.ctx.settings, envs=str(envs))

    def said() -> Finding:
        [found] = environments.check(patient)
        return found

    assert (said().status, said().message[:16]) == ("ok", "not made: gauge;")
    create(envs, recipe)
    assert said().status == "ok"
    assert "made 20" in said().message
    python = envs / "gauge" / "bin" / "python"
    python.rename(python.with_name("gone"))
    assert (said().status, said().remedy) == ("fail", "dativo env create gauge")
    assert "does not start" in said().message
    (envs / "gauge" / "dativo.json").unlink()
    assert "not whole" in said().message


def test_environments_of_connectors_are_told_as_well(bench: Bench, tmp_path: Path) -> None:
    script = tmp_path / "tap.py"
    script.write_text("")
    envs = an_environment(tmp_path / "envs", "tap-shop==1.0", "tap-shop", script)
    patient = of(bench)
    patient.ctx.settings = replace(patient.ctx.settings, envs=str(envs))
    found = [each for each in environments.check(patient) if "tap-shop" in each.message]
    assert [(each.status, each.remedy) for each in found] == [("warn", "dativo env create 'tap-shop==1.0'")]
