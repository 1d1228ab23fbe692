"""Whole runs as `airflow dags test` makes them: every task in its Airflow wrapping, XCom and mapping included."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.dag_factory.folders import make_job
from tests.support import requirement

LINK = "_link_QualityReportLink"
TASKS = ("plan", "extract", "audit", "publish", "sync")


@pytest.fixture
def root(airflow_db, tmp_path, monkeypatch):
    """Airflow's dags folder, with a home of its own for tables, catalog and store."""
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    monkeypatch.setenv("AIRFLOW__DATIVO__HOME", str(tmp_path / "home"))
    return folder


def run(root: Path, dag_id: str = "acme.orders", **conf: Any) -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(str(root), bundle_path=root, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags[dag_id].test(run_conf=conf or None)


def states(dag_run: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for ti in dag_run.get_task_instances():
        found[ti.task_id.partition(".")[2]] = str(ti.state)
    return found


def rows(home: Path, table: str = "acme.orders") -> list[dict[str, Any]]:
    from pyiceberg.catalog import load_catalog

    from dativo_provider.config import settings_from

    catalog = settings_from({"home": str(home)}).catalog
    return load_catalog(catalog.name, **catalog.properties).load_table(table).scan().to_arrow().to_pylist()


def xcoms(dag_run: Any) -> dict[tuple[str, str], Any]:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(XComModel).filter(XComModel.run_id == dag_run.run_id).all()
        return {(xcom.task_id, xcom.key): json.loads(json.dumps(xcom.value)) for xcom in found}


def events(name: str) -> int:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        return (
            session.query(AssetEvent)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .filter(AssetModel.name == name)
            .count()
        )


@requirement("SN-18", "ORC-01")
def test_a_job_runs_then_finds_nothing_new_then_reads_only_what_was_added(root, tmp_path):
    data = make_job(root).parent.parent / "data"
    before = events("acme.orders")
    first = run(root)
    assert (first.state, states(first)) == ("success", dict.fromkeys(TASKS, "success"))
    assert sorted(row["order_id"] for row in rows(tmp_path / "home")) == [1, 2]
    assert events("acme.orders") == before + 1

    again = run(root)
    assert again.state == "success"
    assert states(again) == {**dict.fromkeys(TASKS, "success"), "extract": "skipped"}
    assert len(rows(tmp_path / "home")) == 2
    assert events("acme.orders") == before + 1, "nothing changed, so nobody is woken"

    (data / "orders_2.csv").write_text("order_id,amount\n4,40\n")
    assert run(root).state == "success"
    assert sorted(row["order_id"] for row in rows(tmp_path / "home")) == [1, 2, 4]


def test_between_tasks_go_a_reference_and_indexes_and_nothing_else(root):
    make_job(root)
    found = xcoms(run(root))
    links = {("orders.audit", LINK), ("orders.publish", LINK)}
    assert set(found) == {("orders.plan", "plan"), ("orders.plan", "return_value"), *links}
    assert len({found[link] for link in links}) == 1
    assert str(found["orders.plan", "plan"]).endswith('plan.json"') or found["orders.plan", "plan"].endswith(
        "plan.json"
    )


def test_params_of_the_form_reach_the_run(root, tmp_path):
    make_job(root)
    run(root)
    assert run(root, full_refresh=True).state == "success"
    assert sorted(row["order_id"] for row in rows(tmp_path / "home")) == [1, 2]


def test_a_blocked_run_fails_at_the_audit_and_publishes_nothing(root):
    make_job(root, more="schema_validation_mode: strict\ndata_contract: {enabled: true}\n")
    folder = root / "tenants" / "acme"
    (folder / "data" / "orders_1.csv").write_text("order_id,amount\n1,1\nx,2\n")
    done = run(root)
    assert done.state == "failed"
    assert states(done) == {
        "plan": "success", "extract": "success", "audit": "failed", "publish": "upstream_failed",
        "sync": "upstream_failed",
    }  # fmt: skip


def test_rows_too_old_for_the_contract_are_published_and_announced_and_then_the_run_fails(root, tmp_path):
    fresh = "{name: fresh, type: freshness, column: changed, max_age_hours: 24, severity: error}"
    job = make_job(root, more=f"data_contract: {{enabled: true, quality_checks: [{fresh}]}}\n")
    contract = job.parent.parent / "contracts" / "orders.odcs.yaml"
    contract.write_text(contract.read_text() + "      - {name: changed, logicalType: timestamp}\n")
    data = root / "tenants" / "acme" / "data" / "orders_1.csv"
    data.write_text("order_id,amount,changed\n1,10,2020-01-01T00:00:00Z\n")
    before = events("acme.orders")
    done = run(root)
    assert states(done) == {**dict.fromkeys(TASKS, "success"), "sync": "failed"}
    assert done.state == "failed"
    assert len(rows(tmp_path / "home")) == 1
    assert events("acme.orders") == before + 1


@requirement("REG-04")
def test_two_jobs_write_their_own_tables(root, tmp_path):
    contracts = make_job(root).parent.parent / "contracts"
    make_job(root, name="items", contract="items")
    (contracts / "items.odcs.yaml").write_text((contracts / "orders.odcs.yaml").read_text().replace("orders", "items"))
    for dag_id in ("acme.orders", "acme.items"):
        assert run(root, dag_id).state == "success"
    assert len(rows(tmp_path / "home", "acme.orders")) == len(rows(tmp_path / "home", "acme.items")) == 2


@requirement("TEN-01")
def test_two_tenants_with_equal_names_never_meet(root, tmp_path):
    for tenant, amount in (("acme", 1), ("globex", 2)):
        folder = make_job(root, tenant).parent.parent
        (folder / "data" / "orders_1.csv").write_text(f"order_id,amount\n{amount},{amount}\n")
        assert run(root, f"{tenant}.orders").state == "success"
    for tenant, amount in (("acme", 1), ("globex", 2)):
        assert [row["order_id"] for row in rows(tmp_path / "home", f"{tenant}.orders")] == [amount]


def test_embedded_defaults_on_a_distributed_executor_stop_before_reading(root, tmp_path, monkeypatch, capfd):
    make_job(root)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    done = run(root)
    assert (done.state, states(done)["plan"]) == ("failed", "failed")
    told = capfd.readouterr()
    for setting in ("AIRFLOW__DATIVO__CATALOG_URI", "AIRFLOW__DATIVO__WAREHOUSE"):
        assert setting.rpartition("__")[2].lower() in (told.out + told.err).lower()
    assert not (tmp_path / "home" / "warehouse").exists()


@requirement("ING-14", "ING-17")
def test_only_the_slice_that_failed_is_repeated_and_what_the_others_staged_is_used(root, tmp_path, monkeypatch):
    """Each mapped task reads one slice; a retry of one does not touch the rest."""
    from dativo_provider.connectors.csv.reader import CsvReader

    folder = make_job(root, more="slices: 3\nretry_config: {max_retries: 1, initial_delay_seconds: 0}\n").parent.parent
    for number in (2, 3):
        (folder / "data" / f"orders_{number}.csv").write_text(f"order_id,amount\n{number}0,1\n{number}1,2\n")
    real, reads = CsvReader._file, []

    def read(self, stream, piece, file, *more):
        reads.append(file.path)
        facts = yield from real(self, stream, piece, file, *more)
        if file.path == "orders_2.csv" and reads.count(file.path) == 1:
            raise ConnectionError("the share is gone for a moment")
        return facts

    monkeypatch.setattr(CsvReader, "_file", read)
    done = run(root)
    assert done.state == "success"
    assert sorted(reads) == ["orders_1.csv", "orders_2.csv", "orders_2.csv", "orders_3.csv"]
    extracts = [ti for ti in done.get_task_instances() if ti.task_id == "orders.extract"]
    assert sorted((ti.map_index, ti.try_number) for ti in extracts) == [(0, 1), (1, 2), (2, 1)]
    assert sorted(row["order_id"] for row in rows(tmp_path / "home")) == [1, 2, 20, 21, 30, 31]


@requirement("ORC-01", "CON-32")
def test_a_job_without_a_catalog_publishes_a_folder_and_announces_it_by_its_place(root, tmp_path):
    job = make_job(root)
    job.write_text(job.read_text().replace("target_connector: iceberg", "target_connector: parquet"))
    (job.parent.parent / "contracts" / "orders.odcs.yaml").write_text(
        (job.parent.parent / "contracts" / "orders.odcs.yaml").read_text() + "domain: sales\ndataProduct: shop\n"
    )
    done = run(root)
    assert (done.state, states(done)) == ("success", dict.fromkeys(TASKS, "success"))
    folder = tmp_path / "home" / "warehouse" / "parquet" / "acme" / "sales" / "shop" / "orders"
    assert len(list(folder.glob("*.parquet"))) == 1
    assert uris("acme.sales.shop.orders") == [f"file://{folder}"]
    assert events("acme.sales.shop.orders") == 1
    kept = run(root, "acme.maintenance")
    assert kept.state == "success"
    assert len(list(folder.glob("*.parquet"))) == 1


def uris(name: str) -> list[str]:
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        return [found.uri for found in session.query(AssetModel).filter(AssetModel.name == name)]
