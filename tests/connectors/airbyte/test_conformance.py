"""The reader suite over an Airbyte source of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance, ReaderWorld
from tests.connectors.airbyte.world import AirbyteWorld


class TestAirbyteReader(ReaderConformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> ReaderWorld:
        return AirbyteWorld(tmp_path)
