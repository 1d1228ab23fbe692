"""What all processes have counted, as a table under the results; and an order in which two workers end together."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.crash.share import FIGURES, Figures, read_figures


def pytest_configure(config: pytest.Config) -> None:
    """Workers of pytest-xdist inherit the name of the file."""
    if FIGURES not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="dativo-crash-")
        os.environ[FIGURES] = str(Path(folder.name) / "figures.jsonl")
        config.add_cleanup(folder.cleanup)
        config.add_cleanup(lambda: os.environ.pop(FIGURES, None))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, storms over a network before others: what comes last is short, so workers end together.
    Tests of other rooms stay where they are."""
    places = [place for place, item in enumerate(items) if item.get_closest_marker("crash")]
    ours = sorted((items[place] for place in places), key=_lateness)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _lateness(item: pytest.Item) -> tuple[bool, bool]:
    return item.get_closest_marker("slow") is None, "toxiproxy" not in getattr(item, "fixturenames", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [figures.row() for figures in read_figures(Path(os.environ[FIGURES]))]
    if not rows:
        return
    names = [name for name in rows[0] if name != "world"]
    rows.append({name: sum(row[name] for row in rows) for name in names} | {"world": "all worlds"})
    width = max(len(row["world"]) for row in rows)
    terminalreporter.section(f"{Figures.__name__.lower()} of the crash proof")
    terminalreporter.write_line(f"{'world':{width}}  " + "  ".join(names))
    for row in rows:
        terminalreporter.write_line(f"{row['world']:{width}}  " + "  ".join(f"{row[n]:>{len(n)}}" for n in names))
