"""Dags folders for tests: the loader, tenants, jobs, contracts and data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from tests.support import orders_contract

LOADER = Path(__file__).resolve().parents[2] / "dags" / "dativo_loader.py"

JOB = """\
tenant_id: {tenant}
source_connector: csv
target_connector: iceberg
asset_path: ../contracts/{contract}.odcs.yaml
source:
  path: "*.csv"
  object: {name}
  incremental: {{strategy: file_modified_time}}
schedule:
  cron: "{minute} * * * *"
"""
CONTRACT = orders_contract(
    "name: order_id, logicalType: integer, required: true",
    "name: amount, logicalType: number, logicalTypeOptions: {minimum: 0}",
)
TENANT = "tenant_id: {tenant}\nroots: {{files: [data]}}\n"
ROWS = "order_id,amount\n1,10.5\n2,20\n3,-7\n"


def make_tenant(root: Path, tenant: str = "acme") -> Path:
    """The tenant's folder, with its contract and three rows of which one breaks it."""
    folder = root / "tenants" / tenant
    for name in ("jobs", "contracts", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (root / "dativo_loader.py").write_text(LOADER.read_text())
    (folder / "tenant.yaml").write_text(TENANT.format(tenant=tenant))
    (folder / "contracts" / "orders.odcs.yaml").write_text(CONTRACT)
    (folder / "data" / "orders_1.csv").write_text(ROWS)
    return folder


def job_text(tenant: str = "acme", name: str = "orders", minute: int = 0, contract: str = "orders") -> str:
    return JOB.format(tenant=tenant, name=name, minute=minute, contract=contract)


def make_job(root: Path, tenant: str = "acme", name: str = "orders", more: str = "", **given: Any) -> Path:
    path = make_tenant(root, tenant) / "jobs" / f"{name}.yaml"
    path.write_text(job_text(tenant, name, **given) + more)
    return path


def loaded(root: Path) -> dict[str, DAG]:
    """The jobs' DAGs that Airflow finds when it parses the loader."""
    return {name: dag for name, dag in everything(root).items() if "dativo:blueprint" not in dag.tags}


def everything(root: Path) -> dict[str, DAG]:
    """Those of the blueprints too."""
    from dag_factory.load import load

    namespace: dict[str, Any] = {}
    load(namespace, str(root / "dativo_loader.py"))
    return namespace
