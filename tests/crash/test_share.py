"""N kills are N kills, over all worlds together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash import share as share_module
from tests.crash.share import FIGURES, WEIGHTS, counted, read_figures, share


@pytest.mark.parametrize("kills", [1, 60, 1000])
def test_the_worlds_share_all_kills(kills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_module, "KILLS", kills)
    shares = [share(world) for world in WEIGHTS]
    assert kills <= sum(shares) < kills + len(WEIGHTS)
    assert min(shares) >= 1


def test_what_was_counted_is_kept_when_a_world_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whichever process counted it."""
    path, (first, second, third, *_) = tmp_path / "figures.jsonl", WEIGHTS
    monkeypatch.setenv(FIGURES, str(path))
    with counted(second) as figures:
        figures.saw("killed")
        figures.saw("committed")
        figures.faults["slow"] += 2
    with pytest.raises(AssertionError), counted(third):
        raise AssertionError
    with counted(first):
        pass
    assert [each.world for each in read_figures(path)] == [first, second]
    found = read_figures(path)[1].row()
    assert (found["runs"], found["kills"], found["published"], found["faults"]) == (2, 1, 1, 2)
