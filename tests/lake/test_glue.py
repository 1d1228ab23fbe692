"""AWS Glue on moto's server: databases, names, versions, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, MissingExtra, StorageUnavailable
from dativo_provider.lake.catalog import catalog_properties, open_catalog
from dativo_provider.lake.catalogs.glue import LEAF
from dativo_provider.model.settings import Settings
from tests.lake.places import on_glue
from tests.lake.support import Lake, job, settings
from tests.services.framework import free_port
from tests.services.glue import Glue
from tests.services.s3 import S3
from tests.support import requirement


@pytest.fixture
def where(tmp_path: Path, glue: Glue, bucket: str, s3: S3) -> Settings:
    return on_glue(tmp_path, glue, s3, bucket)


@requirement("CON-35", "ING-08")
def test_databases_and_tables_are_made_as_glue_knows_them(where: Settings, glue: Glue) -> None:
    Lake(where).run([1, 2], bad=[9])
    database = glue.client().get_database(Name="acme")["Database"]
    assert database["Parameters"]["dativo.tenant"] == "acme"
    table = glue.client().get_table(DatabaseName="acme", Name="orders")["Table"]
    assert table["Parameters"]["table_type"] == "ICEBERG"
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["id", "value", "at"]


@requirement("CON-35", "ING-25")
def test_a_commit_on_a_version_that_is_gone_is_made_again(where: Settings, glue: Glue) -> None:
    """Another engine changes the table between our read and our update: Glue refuses our version id."""
    lake, busy = Lake(where), list[int]()
    lake.run([1], cursor=1)
    client = lake.target.catalog.glue  # type: ignore[attr-defined]

    def rival(params: dict[str, Any], **_: Any) -> None:
        if not busy:
            busy.append(1)
            found = glue.client().get_table(DatabaseName="acme", Name="orders")["Table"]
            words = {key: found[key] for key in ("Name", "Parameters", "StorageDescriptor", "TableType")}
            glue.client().update_table(DatabaseName="acme", TableInput=words)

    client.meta.events.register("provide-client-params.glue.UpdateTable", rival)
    published = lake.run([2], cursor=2)
    assert busy == [1]
    assert (published.outcome, lake.ids(), lake.state().seq) == ("committed", [1, 2], 2)


@pytest.mark.parametrize("more", [{"namespace": "Acme_Lake"}, {"table": "Orders"}])
def test_names_glue_would_fold_are_refused(where: Settings, more: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="lower case"):
        Lake(where, job(**more)).plan()  # type: ignore[arg-type]


def test_a_namespace_of_several_levels_is_refused(where: Settings) -> None:
    with pytest.raises(ConfigurationError, match="one level"):
        Lake(where, job(namespace="acme.sales")).plan()


def test_the_region_of_the_store_is_that_of_glue_unless_told(tmp_path: Path) -> None:
    for given in ({"s3.region": "eu-west-1"}, {"glue.region": "eu-west-1", "s3.region": "x"}):
        _, found = catalog_properties(settings(tmp_path, properties={"type": "glue", **given}))
        assert found["glue.region"] == "eu-west-1"


def test_without_boto3_the_extra_is_named(where: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(MissingExtra, match="glue"):
        open_catalog(where)


def test_a_glue_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    properties = {
        "type": "glue", "glue.endpoint": f"http://127.0.0.1:{free_port()}", "glue.region": "us-east-1",
        "glue.access-key-id": "x", "glue.secret-access-key": "x", "glue.max-retries": "1",
    }  # fmt: skip
    with pytest.raises(StorageUnavailable, match="Glue did not answer"):
        Lake(settings(tmp_path, properties=properties, embedded=False)).plan()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", CredentialError),
        ("ExpiredTokenException", CredentialError),
        ("ThrottlingException", StorageUnavailable),
        ("InternalServiceException", StorageUnavailable),
        ("InvalidInputException", ConfigurationError),
    ],
)
def test_every_refusal_says_what_to_do(code: str, kind: type) -> None:
    from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

    found = LEAF.failure(ClientError({"Error": {"Code": code, "Message": "said"}}, "UpdateTable"), "acme.orders")
    assert type(found) is kind
    assert found is not None
    assert (found.where, "said" in found.message) == ("acme.orders", True)
    assert isinstance(LEAF.failure(NoCredentialsError(), ""), CredentialError)
    assert isinstance(LEAF.failure(NoRegionError(), ""), ConfigurationError)
    assert LEAF.failure(ValueError(), "") is None
