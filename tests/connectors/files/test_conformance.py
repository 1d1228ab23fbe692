from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance
from tests.connectors.files.local import LocalWorld
from tests.connectors.files.remote import Bucket, BucketWorld
from tests.support import requirement


class TestJsonLines(ReaderConformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "json", "jsonl")


class TestJsonDocuments(ReaderConformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "json", "json")


class TestParquet(ReaderConformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "parquet", "parquet")


class TestAvro(ReaderConformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "avro", "avro")


@requirement("CON-20")
class TestS3(ReaderConformance):
    @pytest.fixture
    def world(self, s3_bucket: Bucket) -> BucketWorld:
        return BucketWorld(s3_bucket, "csv", "jsonl", "parquet")


@requirement("CON-20")
class TestGcs(ReaderConformance):
    @pytest.fixture
    def world(self, gcs_bucket: Bucket) -> BucketWorld:
        return BucketWorld(gcs_bucket, "parquet", "csv")


@requirement("CON-21")
class TestAzureBlob(ReaderConformance):
    @pytest.fixture
    def world(self, azure_bucket: Bucket) -> BucketWorld:
        return BucketWorld(azure_bucket, "csv", "avro")
