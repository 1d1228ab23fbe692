"""What a tenant may try in its own files, one test per channel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dativo_provider.config import load_job
from tests.config.support import CONTRACT, JOB, Deployment, only, refused
from tests.support import requirement

CSV = "source_connector: csv\nsource:\n  path: '{path}'\n"


@pytest.fixture
def shared(deployment: Deployment) -> Deployment:
    """Two tenants more, one of which has a name that begins with the first's."""
    deployment.write("tenants/globex/contracts/secret.odcs.yaml", CONTRACT)
    deployment.write("tenants/globex/data/secret.csv", "a\n1\n")
    deployment.write("tenants/acme_eu/tenant.yaml", "name: Acme Europe\n")
    deployment.write("outside.csv", "a\n1\n")
    return deployment


@requirement("TEN-03", "CFG-07")
@pytest.mark.parametrize(
    "reference",
    ["${HOME}", "${AIRFLOW__CORE__FERNET_KEY}", "${GLOBEX_PASSWORD:-x}", "a${HOME}b", "${ACME_EU:-}${HOME}"],
)
def test_variables_of_the_deployment_are_out_of_reach(shared: Deployment, reference: str) -> None:
    found = shared.only_error(JOB + f"  connection: {{host: '{reference}'}}\n")
    assert "is not allowed for tenant 'acme'" in found.message
    assert (found.line, found.column) == (5, 22)


def test_variables_on_the_list_or_with_the_tenant_s_name_are_allowed(shared: Deployment) -> None:
    shared.write("tenants/acme/tenant.yaml", "variables: [PGHOST, 'LAKE_*']\n")
    job = shared.load(JOB + "  connection: {host: '${PGHOST}', user: '${ACME_USER:-x}', a: '${LAKE_URI}'}\n")
    assert job.source.connection["host"] == "${PGHOST}"
    assert job.allowed_variables == ("ACME_*", "PGHOST", "LAKE_*")
    assert "Did you mean 'PGHOST'?" in shared.only_error(JOB + "  connection: {host: '${PGHOSTS}'}\n").remedy


@pytest.mark.parametrize("text", ["${SECRET:../globex/db}", "${SECRET:}", "${", "${A B}"])
def test_broken_references_are_found_when_the_file_is_read(shared: Deployment, text: str) -> None:
    assert shared.only_error(JOB + f"  connection: {{host: '{text}'}}\n").line == 5


@pytest.mark.parametrize("text", ["where: \"name = '${HOME}'\"", "query: 'select ${HOME}'"])
def test_sql_is_left_alone(shared: Deployment, text: str) -> None:
    table = "  table: public.orders\n" if "where" in text else "  object: orders\n"
    job = shared.load("source_connector: postgres\nsource:\n" + table + f"  {text}\n")
    assert "${HOME}" in job.streams[0].where + job.streams[0].query


@requirement("TEN-03")
@pytest.mark.parametrize(
    "path",
    [
        "../globex/data/*.csv", "in/../../globex/data/secret.csv", "in/*/../../../outside.csv", "/etc/passwd",
        "/etc/*.conf", "~/x.csv", "file:///etc/passwd", "s3://globex/in/*.csv", "http://169.254.169.254/latest/meta-data",
        "in/a.csv,../globex/data/secret.csv", "..",
    ],
)  # fmt: skip
def test_paths_do_not_leave_the_tenant_s_folder(shared: Deployment, path: str) -> None:
    if path == "~/x.csv":
        assert shared.load(CSV.format(path=path)).streams[0].object == "~/x.csv"  # a folder called ~
        return
    assert "lies outside the folders of tenant 'acme'" in shared.only_error(CSV.format(path=path)).message


@requirement("TEN-03")
def test_links_do_not_lead_out_of_the_tenant_s_folder(shared: Deployment) -> None:
    folder = shared.root / "tenants/acme"
    os.symlink(shared.root / "tenants/globex/data", folder / "in")
    os.symlink("/etc", folder / "etc")
    for path in ("in/*.csv", "in/secret.csv", "etc/passwd", "etc/../etc/passwd"):
        assert "lies outside" in shared.only_error(CSV.format(path=path)).message


def test_roots_the_operator_names_are_open(shared: Deployment, tmp_path: Path) -> None:
    shared.write("tenants/acme/tenant.yaml", "roots: {files: [../../in, 's3://lake/acme/']}\n")
    shared.write("in/a.csv", "x\n")
    assert shared.load(CSV.format(path="a.csv")).streams[0].object == "a.csv"
    assert shared.load(CSV.format(path="a.csv")).source.roots == (str(tmp_path / "in"), "s3://lake/acme")
    assert shared.load(CSV.format(path=tmp_path / "in" / "*.csv")).streams[0].object == "*.csv"
    assert shared.load(CSV.format(path="s3://lake/acme/x/*.csv")).streams[0].object == "s3://lake/acme/x/*.csv"
    for path in ("s3://lake/acme/../globex/*", "s3://lake/acme2/x", "s3://lake/acme/%2e%2e/globex/x", "../outside.csv"):
        assert "lies outside" in shared.only_error(CSV.format(path=path)).message


@requirement("TEN-03")
@pytest.mark.parametrize(
    "written", ["../../globex/contracts/secret.odcs.yaml", "tenants/globex/contracts/secret.odcs.yaml", "/etc/passwd"]
)
def test_contracts_of_others_are_not_read(shared: Deployment, written: str) -> None:
    assert "lies outside" in shared.only_error(JOB.replace("asset: orders", f"asset_path: {written}")).message


def test_links_to_contracts_of_others_are_not_read(shared: Deployment) -> None:
    os.symlink(
        shared.root / "tenants/globex/contracts/secret.odcs.yaml",
        shared.root / "tenants/acme/contracts/mine.odcs.yaml",
    )
    assert "lies outside" in shared.only_error(JOB.replace("asset: orders", "asset: mine")).message


def test_a_job_or_defaults_file_may_not_be_a_link_to_somebody_else_s(shared: Deployment) -> None:
    other = shared.write("tenants/globex/jobs/secret.yaml", JOB)
    link = shared.root / "tenants/acme/jobs/stolen.yaml"
    link.parent.mkdir()
    os.symlink(other, link)
    assert "in another tenant's folder" in only(list(refused(load_job, link, root=shared.root))).message
    os.symlink("/etc/passwd", shared.root / "tenants/acme/defaults.yaml")
    assert "outside the root" in shared.only_error().message


def test_recipes_of_others_are_not_read(shared: Deployment) -> None:
    shared.write("tenants/globex/connectors/pg.yaml", "name: pg\ntype: postgres\nroles: [source]\n")
    text = JOB + "source_connector_path: ../../globex/connectors/pg.yaml\n"
    assert "lies outside" in shared.only_error(text).message


@requirement("TEN-03")
@pytest.mark.parametrize(
    "warehouse",
    ["s3://globex/lake", "/var/lib", "../globex/wh", "file:///etc", "s3://lake/acme/../globex", "${ACME_WAREHOUSE}"],
)
def test_warehouses_stay_below_the_roots(shared: Deployment, warehouse: str) -> None:
    found = shared.only_error(JOB + f"target: {{warehouse: '{warehouse}'}}\n")
    assert "tenant 'acme'" in found.message
    assert "roots.warehouses" in found.remedy
    nested = shared.only_error(JOB + f"target: {{catalog: {{warehouse: '{warehouse}'}}}}\n")
    assert "tenant 'acme'" in nested.message


@pytest.mark.parametrize("uri", ["sqlite:////etc/x.db", "sqlite:///../globex/catalog.db"])
def test_catalogs_in_files_stay_below_the_roots(shared: Deployment, uri: str) -> None:
    found = shared.only_error(JOB + f"target: {{catalog: {{type: sql, uri: '{uri}'}}}}\n")
    assert "the catalog's file lies outside" in found.message


@requirement("TEN-03")
@pytest.mark.parametrize("namespace", ["globex", "globex_sales", "acme_eu", "acme_eu_sales", "acmex", "default"])
def test_namespaces_of_others_are_refused(shared: Deployment, namespace: str) -> None:
    found = shared.only_error(JOB + f"target: {{namespace: {namespace}}}\n")
    assert f"namespace '{namespace}' is not one of tenant 'acme'" in found.message


def test_a_domain_does_not_make_another_tenant_s_namespace(shared: Deployment) -> None:
    shared.write("tenants/acme/tenant.yaml", 'namespace: "{tenant}_{domain}"\n')
    shared.write("tenants/acme/contracts/orders.odcs.yaml", CONTRACT.replace("domain: sales", "domain: eu"))
    assert shared.load().target.namespace == "acme"


@requirement("TEN-03")
@pytest.mark.parametrize("connection", ["globex_db", "aws_default", "acme", "acmedb", "acme_eu_db", "ACME_db"])
def test_connections_of_others_are_refused(shared: Deployment, connection: str) -> None:
    for text in (f"  connection_id: {connection}\n", f"  connection: {{uri: 'connection:{connection}'}}\n",
                 f"target: {{catalog: {{connection_id: {connection}}}}}\n"):  # fmt: skip
        assert f"connection '{connection}' is not one of" in shared.only_error(JOB + text).message


def test_connections_with_the_tenant_s_name_or_on_the_list_are_allowed(shared: Deployment) -> None:
    shared.write("tenants/acme/tenant.yaml", "connections: [shared_read, 'lab_*']\n")
    for connection in ("acme_db", "shared_read", "lab_1"):
        assert shared.load(JOB + f"  connection_id: {connection}\n").source.connection_id == connection
    assert shared.load().connection_prefixes == ("acme_", "shared_read", "lab_")
    assert "not one of" in shared.only_error(JOB + "  connection_id: shared_read2\n").message


@requirement("TEN-03")
def test_jinja_stays_literal(shared: Deployment) -> None:
    jinja = "{{ var.value.secret }} {% raw %}"
    job = shared.load(JOB + f"  connection: {{host: '{jinja}'}}\ndescription: '{jinja}'\n")
    assert job.source.connection["host"] == job.description == jinja
    for text in (JOB + f"  connection_id: '{jinja}'\n", JOB + f"target: {{namespace: '{jinja}'}}\n"):
        assert jinja in shared.only_error(text).message
    assert "is not an id" in shared.only_error(JOB + "tenant_id: '{{ x }}'\n").message


def test_a_tenant_cannot_take_the_name_of_shared_secrets(shared: Deployment) -> None:
    path = shared.write("x.yaml", "tenant_id: global\n" + JOB.replace("asset: orders\n", ""))
    assert "'global' cannot be a tenant" in only(list(refused(load_job, path))).message


def test_a_password_never_stands_in_a_message(shared: Deployment) -> None:
    text = JOB + "  connection: hunter2\n  dsn: [hunter2]\n  credentials: {password: hunter2, password: hunter3}\n"
    found = shared.problems(text)
    assert found
    assert "hunter" not in "".join(map(str, found))
    text = JOB + "  connection: hunter2\n  dsn: [hunter2]\n"
    assert "hunter" not in "".join(map(str, shared.problems(text)))


def test_a_file_from_another_root_is_refused(shared: Deployment, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a.yaml"
    elsewhere.write_text(JOB)
    assert "outside the root" in only(list(refused(load_job, elsewhere, root=shared.root))).message


def test_messages_cannot_steer_a_terminal_or_forge_a_log_line(shared: Deployment) -> None:
    found = shared.only_error(JOB + '"a\\e[2J\\nroot: granted \\u202e": 1\n')
    assert found.message == r"'a\x1b[2J\nroot: granted \u202e' is not a key here"
    assert str(found).isprintable()
    assert len(str(shared.only_error(JOB + f"{'x' * 5000}: 1\n"))) < 3000
