"""The target's guarantees on every combination of catalog and storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.model.settings import Settings
from tests.conformance.targets import TargetSuite
from tests.lake.support import settings
from tests.services.postgres import Database
from tests.services.s3 import S3


class TestSqliteOnDisk(TargetSuite):
    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return settings(tmp_path)


class TestPostgresOnDisk(TargetSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, database: Database) -> Settings:
        return settings(tmp_path, properties={"uri": database.url}, embedded=False)


class TestSqliteOnS3(TargetSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, bucket: str, s3: S3) -> Settings:
        return settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=s3.properties)


class TestPostgresOnS3(TargetSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, bucket: str, s3: S3, database: Database) -> Settings:
        properties = {**s3.properties, "uri": database.url}
        return settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=properties, embedded=False)
