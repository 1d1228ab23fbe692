from __future__ import annotations

from pathlib import Path

from dativo_provider.config import find_jobs, load_job
from tests.config.support import JOB, Deployment
from tests.support import requirement

FLAT = JOB.replace("asset: orders\n", "tenant_id: beta\n")


def names(root: Path) -> list[str]:
    return [job.dag_id for job in find_jobs(root)]


@requirement("CFG-01", "CFG-14", "ORC-01")
def test_jobs_are_found_in_every_layout(deployment: Deployment) -> None:
    deployment.write("tenants/acme/jobs/orders.yaml", JOB)
    deployment.write("tenants/acme/jobs/broken.yml", "a: [")
    deployment.write("tenants/acme/tenant.yaml", "name: x")
    deployment.write("tenants/acme/defaults.yaml", "slices: 2")
    deployment.write("jobs/gamma/old.yaml", JOB)
    deployment.write("flat.job.yaml", FLAT)
    deployment.write("runner.yaml", "runner: {}")
    deployment.write("docker-compose.yaml", "services: {}")
    deployment.write("notes.txt", FLAT)
    deployment.write("_draft.yaml", FLAT)
    deployment.write(".hidden.yaml", FLAT)
    assert names(deployment.root) == ["beta.flat", "gamma.old", "acme.broken", "acme.orders"]
    flat = find_jobs(deployment.root)[0]
    assert load_job(flat.path, root=deployment.root).dag_id == flat.dag_id


def test_a_tenant_s_folder_may_be_the_root(deployment: Deployment) -> None:
    path = deployment.write("tenants/acme/jobs/orders.yaml", JOB)
    for folder in ("tenants", "tenants/acme", "tenants/acme/jobs"):
        root = deployment.root / folder
        assert names(root) == ["acme.orders"], folder
        assert load_job(path, root=root).dag_id == "acme.orders", folder
    deployment.write("jobs/gamma/old.yaml", JOB)
    assert names(deployment.root / "jobs/gamma") == ["gamma.old"]


def test_a_path_that_tells_the_tenant_is_not_opened(deployment: Deployment) -> None:
    path = deployment.write("tenants/acme/jobs/orders.yaml", JOB)
    path.chmod(0)
    assert names(deployment.root) == ["acme.orders"]


def test_flat_files_name_their_tenant_in_any_spelling(tmp_path: Path) -> None:
    written = {
        "a": "tenant_id: one # note\n", "b": 'x: 1\ntenant_id: "two"\n', "c": "{tenant_id: three, source_connector: csv}",  # noqa: E501
        "d": "source_connector: csv\n", "e": "source_connector: csv\nbroken: [\n", "f": "broken: [\n", "g": "a: 1\n",
        "h": "apiVersion: v3.1.0\nkind: DataContract\nversion: 1\nschema: []\n",
    }  # fmt: skip
    for name, text in written.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    assert names(tmp_path) == ["one.a", "two.b", "three.c", "unknown.d", "unknown.e"]


def test_a_name_that_is_no_id_still_makes_a_legal_dag_id(deployment: Deployment) -> None:
    deployment.write("tenants/acme/jobs/Öl & Gas.yaml", JOB)
    assert names(deployment.root) == ["acme._l_Gas"]


def test_a_folder_without_jobs_has_none(tmp_path: Path) -> None:
    assert find_jobs(tmp_path) == find_jobs(tmp_path / "nowhere") == []
