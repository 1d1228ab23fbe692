from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance
from tests.connectors.files.local import LocalWorld


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
