"""The target's guarantees on every combination of catalog and storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.model.settings import Settings
from tests.conformance.targets import TargetCore, TargetSuite
from tests.lake.places import on_glue, on_nessie, on_rest
from tests.lake.support import settings
from tests.services.azurite import Azure
from tests.services.gcs import Gcs
from tests.services.glue import Glue
from tests.services.nessie import Nessie
from tests.services.postgres import Database
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.support import requirement


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


class TestPostgresOnS3(TargetCore):
    """The catalog is on its whole suite above, and so is the storage: neither knows of the other."""

    @pytest.fixture
    def where(self, tmp_path: Path, bucket: str, s3: S3, database: Database) -> Settings:
        properties = {**s3.properties, "uri": database.url}
        return settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=properties, embedded=False)


class TestRestOnS3(TargetSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, rest: Rest, s3: S3) -> Settings:
        return on_rest(tmp_path, rest, s3)


class TestNessieOnS3(TargetCore):
    @pytest.fixture
    def where(self, tmp_path: Path, nessie: Nessie, s3: S3) -> Settings:
        return on_nessie(tmp_path, nessie, s3)


class TestGlueOnS3(TargetCore):
    @pytest.fixture
    def where(self, tmp_path: Path, glue: Glue, bucket: str, s3: S3) -> Settings:
        return on_glue(tmp_path, glue, s3, bucket)


@requirement("CON-31", "CON-30")
class TestSqliteOnMinio(TargetCore):
    @pytest.fixture
    def where(self, tmp_path: Path, minio: S3) -> Settings:
        return settings(tmp_path, warehouse=f"s3://{minio.bucket()}/lake", properties=minio.properties)


class TestSqliteOnGcs(TargetCore):
    @pytest.fixture
    def where(self, tmp_path: Path, gcs: Gcs) -> Settings:
        return settings(tmp_path, warehouse=f"gs://{gcs.bucket()}/lake", properties=gcs.properties)


class TestSqliteOnAzure(TargetCore):
    """The account is named in the URI, as other engines want it."""

    @pytest.fixture
    def where(self, tmp_path: Path, azurite: Azure) -> Settings:
        warehouse = f"abfss://{azurite.bucket()}@{azurite.account}.dfs.core.windows.net/lake"
        return settings(tmp_path, warehouse=warehouse, properties=azurite.properties)
