"""A bridge holds a batch or two, however much the connector sends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import proves, requirement

ROOT = Path(__file__).parents[3]
SMALL, LARGE = 25_000, 100_000
RUN = f"""
import re, sys
from importlib import import_module
from pathlib import Path
from tests.conformance.readers import WindowRequest, opened, planned
module = import_module(f"tests.connectors.{{sys.argv[1].lower()}}.world")
world = getattr(module, f"{{sys.argv[1]}}World")(Path(sys.argv[2]))
line = '{{"id": %d, "name": "row %d with a text", "amount": %d.25, "updated_at": "2026-03-01T12:00:00Z"}}'
piece = planned(world, world.stream(), WindowRequest(full=True)).slices[0]
for rows in ({SMALL}, {LARGE}):
    world.path.write_text("".join(line % (n, n, n) + chr(10) for n in range(rows)))
    with opened(world) as reader:
        print(sum(batch.rows for batch in reader.read(world.stream(), piece)))
    print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


@proves("memory", "singer", "airbyte")
@requirement("CFG-16")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="NOT TESTED: memory is read from /proc")
@pytest.mark.parametrize("kind", ["Singer", "Airbyte"])
def test_memory_is_flat(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, kind, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    few, once, many, then = map(int, done.stdout.split())
    assert (few, many) == (SMALL, LARGE)
    assert then < 300
    assert then < once + 50
