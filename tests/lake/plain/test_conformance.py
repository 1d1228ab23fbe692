"""The target's guarantees where there is no catalog: on a disk and in an object store, with and without a key."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.settings import Settings
from tests.conformance.targets import TargetSuite
from tests.lake import support
from tests.lake.support import Lake, job, settings
from tests.services.s3 import S3
from tests.support import requirement


class PlainSuite(TargetSuite):
    @pytest.fixture(autouse=True)
    def plain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(support.TARGET, "connector", "parquet")

    @requirement("STA-01")
    def test_another_tenants_table_is_refused(self, where: Settings, lake: Lake) -> None:
        lake.run([1])
        intruder = Lake(where, job("umbrella", warehouse=lake.target.layout.root))
        with pytest.raises(ConfigurationError, match="another tenant"):
            intruder.plan()

    def test_another_tenants_namespace_is_refused(self, where: Settings, lake: Lake) -> None:
        """Folders belong to nobody: in a bucket that tenants share each table has its owner."""
        lake.run([1])
        neighbour = Lake(where, job("umbrella", warehouse=lake.target.layout.root, table="new"))
        neighbour.run([2])
        assert (lake.ids(), neighbour.ids()) == ([1], [2])


class TestOnDisk(PlainSuite):
    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return settings(tmp_path)


@requirement("CON-31")
class TestOnS3(PlainSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, bucket: str, s3: S3) -> Settings:
        return settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=s3.properties)


@requirement("STA-06")
class TestWithEncryptedState(PlainSuite):
    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return replace(settings(tmp_path), state_encryption={"key": base64.b64encode(b"k" * 32).decode()})

    def test_the_snapshot_says_who_wrote_it(self, lake: Lake) -> None:
        """Everything but the cursor."""
        super().test_the_snapshot_says_who_wrote_it(lake)
        snapshot = lake.target.table(lake.name()).current_snapshot()
        assert '"sealed": "v1.1.' in snapshot.summary.additional_properties["dativo.state"]
