"""Every leaf against the one suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.files import file_uri
from dativo_provider.model.settings import StoreSettings
from dativo_provider.store import connect as connect_store
from dativo_provider.store import upgrade
from tests.conformance.stores import Connect, StoreSuite
from tests.services.postgres import Database
from tests.services.s3 import S3
from tests.support import requirement


class TestSqlite(StoreSuite):
    @pytest.fixture
    def connect(self, tmp_path: Path) -> Connect:
        settings = StoreSettings("sql", f"sqlite:///{tmp_path}/home/store.db")
        return lambda: connect_store(settings)


@requirement("CON-38")
class TestPostgres(StoreSuite):
    @pytest.fixture
    def connect(self, database: Database) -> Connect:
        settings = StoreSettings("sql", database.url, embedded=False)
        upgrade(settings)
        return lambda: connect_store(settings)


class TestLakeOnDisk(StoreSuite):
    @pytest.fixture
    def connect(self, tmp_path: Path) -> Connect:
        settings = StoreSettings("lake", file_uri(tmp_path / "warehouse" / "_dativo"))
        return lambda: connect_store(settings)


class TestLakeOnS3(StoreSuite):
    @pytest.fixture
    def connect(self, s3: S3, bucket: str) -> Connect:
        settings = StoreSettings("lake", f"s3://{bucket}/warehouse/_dativo", embedded=False)
        return lambda: connect_store(settings, s3.properties)
