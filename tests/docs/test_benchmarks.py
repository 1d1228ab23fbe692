"""The table and the plot show the results on file."""

from __future__ import annotations

from benchmarks.result import FOLDER, Result, found
from benchmarks.table import pages


def test_the_page_and_the_plot_are_those_of_the_results() -> None:
    stale = [path.name for path, text in pages().items() if path.read_text() != text]
    assert not stale, "run `python -m benchmarks.table`"


def test_every_figure_has_a_spread() -> None:
    for path in FOLDER.glob("*.json"):
        assert found(path).name == path.stem
        assert found(path).values


def test_a_goal_is_reached_from_its_better_side() -> None:
    assert Result("a", "w", "x", "x", [2.0, 3.0, 1.0], 2).reached
    assert not Result("a", "w", "x", "x", [1.9], 2).reached
    assert not Result("a", "w", "x", "s", [2.1], 2, "less").reached
    assert Result("a", "w", "x", "s", [9.0]).reached is None
