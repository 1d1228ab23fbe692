"""One bucket of each store for each test, on servers of the whole session."""

from __future__ import annotations

import pytest

from tests.connectors.files.remote import Bucket
from tests.services.azurite import Azure
from tests.services.gcs import Gcs
from tests.services.s3 import S3


@pytest.fixture
def s3_bucket(s3: S3) -> Bucket:
    return speaking_s3("s3", s3)


@pytest.fixture
def minio_bucket(minio: S3) -> Bucket:
    return speaking_s3("minio", minio)


def speaking_s3(connector: str, server: S3) -> Bucket:
    words = {"endpoint": server.endpoint, "access_key_id": server.access_key, "secret_access_key": server.secret_key}
    refused = {**words, "secret_access_key": "not-the-secret-of-this-store"}
    return Bucket(connector, f"s3://{server.bucket()}", words, server.properties, refused)


@pytest.fixture
def gcs_bucket(gcs: Gcs) -> Bucket:
    words = {"endpoint": gcs.endpoint, "token": "a-token", "project_id": "dativo"}
    return Bucket("gcs", f"gs://{gcs.bucket()}", words, gcs.properties)


@pytest.fixture
def azure_bucket(azurite: Azure) -> Bucket:
    words = {
        "account_name": azurite.account,
        "account_key": azurite.key,
        "blob_storage_authority": azurite.authority,
        "blob_storage_scheme": "http",
    }
    refused = {**words, "account_key": "bm90IHRoZSBrZXk="}
    return Bucket("azure_blob", f"abfs://{azurite.bucket()}", words, azurite.properties, refused)
