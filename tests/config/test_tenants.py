from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import check_paths, load_tenant
from tests.config.support import Deployment, only, place, refused
from tests.support import requirement


@requirement("CFG-14", "TEN-01")
def test_every_key_is_read(deployment: Deployment, tmp_path: Path) -> None:
    path = deployment.write("tenants/acme/tenant.yaml", """\
        tenant_id: acme
        name: Acme Inc.
        description: A tenant
        namespace: "{tenant}_{domain}"
        namespaces: [shared]
        warehouse: s3://lake/acme
        roots: {files: [data, /srv/in/, "s3://in/acme/"], warehouses: s3://lake/acme}
        variables: PGHOST
        connections: [shared_db]
        owners: [a@example.com]
        tags: {team: core}
        domain: crm
        concurrency: 4
        """)  # fmt: skip
    found = load_tenant(path)
    assert (found.tenant, found.name, found.domain, found.concurrency) == ("acme", "Acme Inc.", "crm", 4)
    assert found.file_roots == (str(tmp_path / "tenants/acme/data"), "/srv/in", "s3://in/acme")
    assert (found.warehouse, found.warehouse_roots) == ("s3://lake/acme", ("s3://lake/acme",))
    assert found.own_variables == ("ACME_*", "PGHOST")
    assert found.namespace("", "prod") == "acme_crm"
    assert found.namespace("Öl & Gas", "") == "acme_l_gas"
    assert found.may_publish_to("shared")
    assert found.may_connect("shared_db")
    assert (found.owners, found.tags) == (("a@example.com",), {"team": "core"})
    assert load_tenant(path) is found


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("tenant_id: globex\n", "the folder says the tenant is 'acme'", (1, 12)),
        ("tenant_id: Acme\n", "is not an id", (1, 12)),
        ('namespace: "{tenant}.{domain}"\n', "is not one tenant's own namespace", (1, 12)),
        ("namespace: lake\n", "is not one tenant's own namespace", (1, 12)),
        ('namespace: "{tenant}_{job}"\n', "is no template", (1, 12)),
        ('namespace: "{tenant"\n', "is no template", (1, 12)),
        ('namespace: "{tenant.__class__}"\n', "is no template", (1, 12)),
        ("root: {files: [x]}\n", "'root' is not a key here", (1, 1)),
        ("roots: {file: [x]}\n", "'file' is not a key of roots", (1, 9)),
        ("variables: {a: b}\n", "'variables' must be a list", (1, 1)),
        ("concurrency: 0\n", "'concurrency' must be greater than or equal to 1", (1, 14)),
    ],
)
def test_mistakes_are_said_at_their_place(deployment: Deployment, text: str, said: str, where: tuple[int, int]) -> None:
    found = only(list(refused(load_tenant, deployment.write("tenants/acme/tenant.yaml", text))))
    assert said in found.message
    assert place(found) == where


def test_a_broken_tenant_file_stops_its_jobs(deployment: Deployment) -> None:
    path = deployment.write("tenants/acme/tenant.yaml", "roots: 5\n")
    assert deployment.only_error().path == str(path)
    path.write_text("name: Acme\n")
    assert deployment.load().tenant == "acme"


def test_a_mistake_of_the_tenant_file_is_told_once(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.job()
    deployment.write("tenants/acme/tenant.yaml", "root: {files: [x]}\n")
    monkeypatch.chdir(deployment.root)
    assert only(check_paths(["tenants"])).path == "tenants/acme/tenant.yaml"


def test_a_star_for_everything_is_warned_of(deployment: Deployment) -> None:
    deployment.write("tenants/acme/tenant.yaml", "variables: ['*']\nconnections: ['*']\n")
    assert ["lets the tenant reach those of every other tenant" in each for each in deployment.load().warnings] == [
        True
    ] * 2


def test_a_tenant_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    assert "cannot be read" in only(list(refused(load_tenant, tmp_path / "tenant.yaml"))).message


def test_a_reserved_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tenant.yaml"
    path.write_text("tenant_id: all\n")
    assert "is reserved" in only(list(refused(load_tenant, path))).message
