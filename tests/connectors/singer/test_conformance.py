"""The reader suite over a tap of our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.readers import ReaderConformance, ReaderWorld, rows_of, run
from tests.connectors.singer.world import SingerWorld


class TestSingerReader(ReaderConformance):
    connectors = ("singer",)

    @pytest.fixture
    def world(self, tmp_path: Path) -> ReaderWorld:
        return SingerWorld(tmp_path)

    def test_slices_cover_the_window_exactly_once(self, world: ReaderWorld) -> None:
        """However many are wanted, there is one: each read starts a process, so this asks once and not for hundreds."""
        world.add(rows_of(399))
        made = run(world, want=256)
        assert [piece.index for piece in made.slices] == [0]
        assert sorted(made.ids) == list(range(1, 400))
