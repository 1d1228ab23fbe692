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
from pathlib import Path
from typing import Any

__all__ = ["FIGURES", "WEIGHTS", "Figures", "counted", "read_figures", "share"]

FIGURES = "DATIVO_CRASH_FIGURES"  # names the file they are kept in, for all processes of one session

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
    "CSV → folder": 8,
    "CSV → bucket": 6,
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


@contextmanager
def counted(world: str) -> Iterator[Figures]:
    """One line of the file that `FIGURES` names, when the block ends well."""
    figures, started = Figures(world), time.monotonic()
    yield figures
    figures.seconds = round(time.monotonic() - started)
    if path := os.environ.get(FIGURES):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(vars(figures), ensure_ascii=False) + "\n")


def read_figures(path: Path) -> list[Figures]:
    """What every process has counted, in the order of `WEIGHTS`."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [Figures(**{**made, "faults": Counter(made["faults"])}) for made in map(json.loads, lines)]
    places = list(WEIGHTS)
    return sorted(found, key=lambda each: places.index(each.world))
