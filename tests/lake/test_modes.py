"""The write modes on every combination of catalog and storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.model.settings import Settings
from tests.conformance.modes import ModeBasics, ModeSuite
from tests.lake.support import settings
from tests.services.postgres import Database
from tests.services.s3 import S3


class TestSqliteOnDisk(ModeSuite):
    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return settings(tmp_path)


class TestPostgresOnDisk(ModeBasics):
    @pytest.fixture
    def where(self, tmp_path: Path, database: Database) -> Settings:
        return settings(tmp_path, properties={"uri": database.url}, embedded=False)


class TestPostgresOnS3(ModeBasics):
    @pytest.fixture
    def where(self, tmp_path: Path, bucket: str, s3: S3, database: Database) -> Settings:
        properties = {**s3.properties, "uri": database.url}
        return settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=properties, embedded=False)
