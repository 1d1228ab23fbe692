from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance
from tests.connectors.files.local import LocalWorld, MarkdownWorld
from tests.connectors.files.remote import Bucket, BucketWorld
from tests.support import requirement


class TestJsonLines(ReaderConformance):
    connectors = ("json",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "json", "jsonl")


class TestJsonDocuments(ReaderConformance):
    connectors = ("json",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "json", "json")


class TestParquet(ReaderConformance):
    connectors = ("parquet",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "parquet", "parquet")


class TestAvro(ReaderConformance):
    connectors = ("avro",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> LocalWorld:
        return LocalWorld(tmp_path, "avro", "avro")


@requirement("CON-06")
class TestMarkdownKv(ReaderConformance):
    connectors = ("markdown_kv",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> MarkdownWorld:
        return MarkdownWorld(tmp_path)


@requirement("CON-20")
class TestS3(ReaderConformance):
    connectors = ("s3",)

    @pytest.fixture
    def world(self, s3_bucket: Bucket) -> BucketWorld:
        return BucketWorld(s3_bucket, "csv", "jsonl", "parquet")


@requirement("CON-20")
class TestMinio(ReaderConformance):
    connectors = ("minio",)

    @pytest.fixture
    def world(self, minio_bucket: Bucket) -> BucketWorld:
        return BucketWorld(minio_bucket, "avro", "json")


@requirement("CON-20")
class TestGcs(ReaderConformance):
    connectors = ("gcs",)

    @pytest.fixture
    def world(self, gcs_bucket: Bucket) -> BucketWorld:
        return BucketWorld(gcs_bucket, "parquet", "csv")


@requirement("CON-21")
class TestAzureBlob(ReaderConformance):
    connectors = ("azure_blob",)

    @pytest.fixture
    def world(self, azure_bucket: Bucket) -> BucketWorld:
        return BucketWorld(azure_bucket, "csv", "avro")
