"""The table and the plot of `benchmarks/README.md`, from the results on file.

.venv/bin/python -m benchmarks.table
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.result import FOLDER, Result, found

__all__ = ["pages"]

PAGE = FOLDER.parent / "README.md"
PLOT = FOLDER.parents[1] / "docs" / "benchmarks.svg"
_BEGIN, _END = "<!-- results -->\n", "<!-- end of results -->\n"
_ROW, _LEFT, _SCALE = 22, 430, 120  # pixels: per line, of labels, per power of ten


def pages() -> dict[Path, str]:
    """What the files should hold."""
    results = [found(path) for path in sorted(FOLDER.glob("*.json"))]
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    return {PAGE: f"{before}{_BEGIN}{_table(results)}{_END}{after}", PLOT: _plot(results)}


def _table(results: Sequence[Result]) -> str:
    head = "| work | against | found | spread | goal | |\n|---|---|---|---|---|---|\n"
    return head + "".join(_line(result) for result in results) + _where()


def _line(each: Result) -> str:
    digits = 2 if each.median < 100 else 0
    spread = f"{min(each.values):.{digits}f} to {max(each.values):.{digits}f}"
    goal = f"{each.sign} {each.goal:g}" if each.goal is not None else ""
    verdict = {True: "reached", False: "**missed**", None: "measured"}[each.reached]
    return f"| {each.work} | {each.against} | {each.median:.{digits}f} {each.unit} | {spread} | {goal} | {verdict} |\n"


def _where() -> str:
    seen = {json.dumps(json.loads(path.read_text())["on"]) for path in FOLDER.glob("*.json")}
    lines = (", ".join(f"{name} {value}" for name, value in json.loads(each).items()) for each in sorted(seen))
    return "\n" + "".join(f"Measured on: {line}.\n" for line in lines)


def _plot(results: Sequence[Result]) -> str:
    """How far beyond its goal each figure is, on a scale of tens; left of the line it is missed."""
    shown = [result for result in results if result.goal]
    height = _ROW * (len(shown) + 2)
    bars = "".join(_bars(shown))
    axis = f'<line x1="{_LEFT + _SCALE}" y1="0" x2="{_LEFT + _SCALE}" y2="{height - _ROW}" stroke="#888"/>'
    foot = f'<text x="{_LEFT + _SCALE}" y="{height - 8}" text-anchor="middle">the goal</text>'
    size = f'width="900" height="{height}" style="font-family:sans-serif;font-size:12px"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{bars}{axis}{foot}</svg>\n'


def _bars(shown: Sequence[Result]) -> Iterator[str]:
    for at, each in enumerate(shown):
        assert each.goal
        share = each.median / each.goal if each.better == "more" else each.goal / max(each.median, 1e-9)
        width = min(max(_SCALE * (1 + math.log10(share)), 2), 380)
        y, colour = at * _ROW + 4, "#2a7f62" if each.reached else "#b5442e"
        label = f"{each.work}, {each.against}".replace("&", "&amp;").replace("<", "&lt;")
        yield f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{label[:70]}</text>'
        yield f'<rect x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_ROW - 6}" fill="{colour}"/>'
        yield f'<text x="{_LEFT + width + 6:.0f}" y="{y + 12}">{share:.2f}x</text>'


def main() -> None:
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
