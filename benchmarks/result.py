"""What a benchmark found: a figure per round against the goal, kept as JSON under `benchmarks/results/`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

__all__ = ["FOLDER", "Result"]

FOLDER = Path(__file__).parent / "results"
Better = Literal["more", "less"]
Unit = Literal["x", "s", "CPU-s", "%", "MB"]


@dataclass(frozen=True)
class Result:
    """`values` has one figure per round; their median is held against `goal`, where there is one."""

    name: str
    work: str
    against: str
    unit: Unit
    values: Sequence[float]
    goal: float | None = None
    better: Better = "more"
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def reached(self) -> bool | None:
        """None without a goal."""
        if self.goal is None:
            return None
        return self.median >= self.goal if self.better == "more" else self.median <= self.goal

    @property
    def sign(self) -> str:
        return "≥" if self.better == "more" else "≤"

    def record(self) -> Self:
        """Prints one line and writes the file."""
        goal = "measured" if self.goal is None else f"goal {self.sign} {self.goal:g}"
        spread = f"{min(self.values):.2f} to {max(self.values):.2f}"
        print(f"{self.work} | {self.against}: {self.median:.2f} {self.unit} ({spread}; {goal})", flush=True)
        FOLDER.mkdir(exist_ok=True)
        found = {**vars(self), "values": [round(value, 4) for value in self.values], "on": machine()}
        (FOLDER / f"{self.name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        return self


def machine() -> dict[str, Any]:
    libraries = {name: version(name) for name in ("pyarrow", "pyiceberg", "duckdb")}
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **libraries,
    }


def found(path: Path) -> Result:
    body = json.loads(path.read_text())
    body.pop("on")
    return Result(**body)
