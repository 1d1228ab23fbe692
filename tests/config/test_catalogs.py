"""Which catalogs a job may name, and what it may say of them."""

from __future__ import annotations

import pytest

from dativo_provider.config import settings_from
from dativo_provider.config.catalogs import catalog_type
from dativo_provider.errors import ConfigurationError
from tests.config.support import JOB, Deployment, only
from tests.support import requirement


@requirement("CON-30", "ING-09")
def test_the_original_way_to_name_nessie_and_minio_is_understood(deployment: Deployment) -> None:
    job = deployment.load(
        JOB
        + "  incremental: {strategy: updated_at, cursor_field: updated_at}\n"
        + """\
target:
  catalog: nessie
  branch: acme
  connection:
    nessie: {uri: "http://nessie:19120/api/v1"}
    minio: {endpoint: "minio:9000", bucket: lake, access_key_id: k, secret_access_key: "${SECRET:minio}", secure: false}
"""
    )
    assert not job.unsupported
    assert (dict(job.target.catalog), job.target.branch) == ({"type": "nessie"}, "acme")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("target:\n  catalog: nesie\n", 6, "no catalog of type 'nesie'"),
        ("target:\n  catalog:\n    uri: https://x\n    type: hive\n", 8, "no catalog of type 'hive'"),
        ("target:\n  catalog:\n    type: rest\n    rest.sigv4-enabled: true\n", 8, "may not set 'rest.sigv4-enabled'"),
        ("target:\n  catalog:\n    type: glue\n    glue.endpoint: https://x\n", 8, "may not set 'glue.endpoint'"),
        ("target:\n  catalog:\n    prefix: x\n", 7, "may not set 'prefix'"),
        ("target:\n  catalog:\n    type: sql\n    py-io-impl: os.system\n", 8, "may not set 'py-io-impl'"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_written(deployment: Deployment, text: str, line: int, said: str) -> None:
    problem = only(deployment.problems(JOB + text))
    assert said in problem.message
    assert problem.line == line
    assert problem.remedy


def test_a_warehouse_that_only_the_server_knows_is_no_path(deployment: Deployment) -> None:
    job = deployment.load(JOB + "target: {catalog: {type: rest, uri: 'https://x', warehouse: lake}}\n")
    assert job.target.catalog["warehouse"] == "lake"
    assert "lake" not in job.target.warehouse


def test_types_have_one_name() -> None:
    assert catalog_type({"type": "aws_glue"}) == "glue"
    assert catalog_type({}, {"nessie": {"uri": "x"}}) == "nessie"
    assert (catalog_type({"uri": "sqlite://"}), catalog_type({})) == ("sql", "")


@pytest.mark.parametrize("kind", ["rest", "nessie"])
def test_a_deployment_says_where_its_server_is(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="needs its address"):
        settings_from({"catalog_type": kind})
    found = settings_from({"catalog_type": kind, "catalog_uri": "https://x", "warehouse": "s3://b/l"}).catalog
    assert (found.properties["uri"], found.embedded) == ("https://x", False)


def test_glue_needs_no_address_and_is_not_embedded() -> None:
    found = settings_from({"catalog_type": "aws_glue", "warehouse": "s3://b/l"}).catalog
    assert (dict(found.properties), found.embedded) == ({"type": "glue"}, False)


def test_a_type_nobody_knows_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no catalog of type 'hive'") as caught:
        settings_from({"catalog_type": "hive"})
    assert "glue" in caught.value.remedy
