"""N of `make crash N=…`: how many runs are killed in each world, and what was counted there.

N is the sum over the worlds below; the tests that kill at each named point come on top and are the same for every N.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FIGURES", "WEIGHTS", "Figures", "counted", "share"]

KILLS = int(os.environ.get("DATIVO_CRASH_KILLS", "60"))
WEIGHTS = {
    "CSV → SQLite, append, runs alone": 16,
    "CSV → SQLite, append": 20,
    "CSV → SQLite, merge": 10,
    "CSV → SQLite, scd2": 10,
    "CSV → SQLite, replace": 12,
    "PostgreSQL → SQLite, delete_insert": 12,
    "PostgreSQL → PostgreSQL + S3": 10,
    "PostgreSQL → Nessie + S3": 10,
}


def share(world: str) -> int:
    """Rounded up, so that the sum is at least N."""
    return -(-KILLS * WEIGHTS[world] // sum(WEIGHTS.values()))


@dataclass
class Figures:
    """`runs` were started, `kills` of them died. `others_killed` are rivals and maintainers that died at work."""

    world: str
    runs: int = 0
    kills: int = 0
    twins: int = 0
    published: int = 0
    rivals: int = 0
    compactions: int = 0
    expiries: int = 0
    others_killed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    seconds: float = 0

    def saw(self, outcome: str) -> None:
        self.runs += 1
        self.kills += outcome == "killed"
        self.published += outcome == "committed"

    def saw_others(self, outcomes: Counter[str]) -> None:
        self.rivals, self.others_killed = outcomes["appended"], outcomes["killed"]
        self.compactions, self.expiries = outcomes["compact"], outcomes["expire"]

    def row(self) -> dict[str, Any]:
        return {**vars(self), "faults": sum(self.faults.values())}


FIGURES: list[Figures] = []


@contextmanager
def counted(world: str) -> Iterator[Figures]:
    """Kept for the summary when the block ends well; a line of `DATIVO_CRASH_FIGURES` as well, if that is a file."""
    figures, started = Figures(world), time.monotonic()
    yield figures
    figures.seconds = round(time.monotonic() - started)
    FIGURES.append(figures)
    if path := os.environ.get("DATIVO_CRASH_FIGURES"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(vars(figures), ensure_ascii=False) + "\n")
