"""What was counted, as a table under the results."""

from __future__ import annotations

import pytest

from tests.crash.share import FIGURES, Figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FIGURES:
        return
    rows = [figures.row() for figures in FIGURES]
    names = [name for name in rows[0] if name != "world"]
    rows.append({name: sum(row[name] for row in rows) for name in names} | {"world": "all worlds"})
    width = max(len(row["world"]) for row in rows)
    terminalreporter.section(f"{Figures.__name__.lower()} of the crash proof")
    terminalreporter.write_line(f"{'world':{width}}  " + "  ".join(names))
    for row in rows:
        terminalreporter.write_line(f"{row['world']:{width}}  " + "  ".join(f"{row[n]:>{len(n)}}" for n in names))
