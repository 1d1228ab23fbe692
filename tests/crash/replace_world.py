"""The world of full loads: each run's rows take the place of the last one's, and so do the rows it sets aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from tests.crash.world import World


@dataclass
class ReplaceWorld(World):
    keeps_rivals: ClassVar[bool] = False  # a full load replaces what it finds, whoever wrote it

    mode: str = "replace"
    strategy: str = "full_refresh"

    def check_rows(self) -> None:
        from tests.crash.readback import published_ids, quarantined_by_run

        assert Counter(published_ids(self)) == Counter(self.good)
        by_run = quarantined_by_run(self)
        for run, found in by_run.items():
            assert set(found.values()) == {1}, f"rows doubled in the quarantine by {run}"
        assert by_run[max(by_run)].keys() == self.bad | self.ragged
