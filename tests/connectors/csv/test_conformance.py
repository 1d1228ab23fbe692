from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance
from tests.connectors.csv.world import CsvWorld
from tests.support import requirement


@requirement("CON-05", "STA-07")
class TestCsvReader(ReaderConformance):
    connectors = ("csv",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> CsvWorld:
        return CsvWorld(tmp_path)
