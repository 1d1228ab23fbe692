"""The DAG that notices when nothing runs."""

from __future__ import annotations

from airflow.serialization.serialized_objects import DagSerialization

from dag_factory.blueprints import freshness
from dag_factory.options import FactoryOptions
from dativo_provider.config import find_jobs
from tests.support import requirement


@requirement("DQ-02")
def test_a_tenant_whose_file_asks_for_it_has_one_with_a_task_per_job(tmp_path):
    for tenant in ("acme", "globex"):
        folder = tmp_path / "tenants" / tenant / "jobs"
        folder.mkdir(parents=True)
        (folder / "orders.yaml").write_text("source_connector: csv\n")
    (tmp_path / "tenants" / "acme" / "tenant.yaml").write_text("freshness: {cron: '*/30 * * * *'}\n")
    jobs = {file.dag_id: [file] for file in find_jobs(tmp_path)}
    (dag,) = freshness.dags(jobs, FactoryOptions(root=str(tmp_path)))
    assert dag.dag_id == "acme.freshness"
    assert freshness.makes(dag.dag_id)
    assert "tenants/acme/jobs/orders.yaml" in str(DagSerialization.to_dict(dag))
