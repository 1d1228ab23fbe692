"""The reader suite over a tap of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance, ReaderWorld
from tests.connectors.singer.world import SingerWorld


class TestSingerReader(ReaderConformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> ReaderWorld:
        return SingerWorld(tmp_path)
