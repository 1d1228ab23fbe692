"""N kills are N kills, over all worlds together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.crash import share as share_module
from tests.crash.share import WEIGHTS, counted, share


@pytest.mark.parametrize("kills", [1, 60, 1000])
def test_the_worlds_share_all_kills(kills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_module, "KILLS", kills)
    shares = [share(world) for world in WEIGHTS]
    assert kills <= sum(shares) < kills + len(WEIGHTS)
    assert min(shares) >= 1


def test_what_was_counted_is_kept_when_a_world_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATIVO_CRASH_FIGURES", str(tmp_path / "figures.jsonl"))
    monkeypatch.setattr(share_module, "FIGURES", [])
    with counted("a") as figures:
        figures.saw("killed")
        figures.saw("committed")
        figures.faults["slow"] += 2
    with pytest.raises(AssertionError), counted("b"):
        raise AssertionError
    (line,) = (tmp_path / "figures.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert found["faults"] == {"slow": 2}
    assert share_module.FIGURES[0].row()["faults"] == 2
    assert (found["world"], found["runs"], found["kills"], found["published"]) == ("a", 2, 1, 1)
    assert [each.world for each in share_module.FIGURES] == ["a"]
