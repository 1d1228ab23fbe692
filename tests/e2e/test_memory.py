"""A whole run, in a process of its own: under 1 GB, and the same at three times the rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import requirement

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
WIDE = 300
# not ru_maxrss: it is inherited from the process that started this one
RUN = f"""
import re, sys
from pathlib import Path
from dativo_provider.model.stream import Field
from tests.pipeline.build import ORDERS, Bench
texts = tuple(Field(f"c{{at}}", "string") for at in range({WIDE}))
fields = (Field("id", "long", required=True), *texts) if sys.argv[2] == "wide" else ORDERS
keyed = {{"key": ("id",)}} if sys.argv[2] == "keyed" else {{}}
report = Bench(Path(sys.argv[1]), fields=fields, stream=keyed).run()
assert report.error is None, report.error
print(report.books.accepted, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


def long(rows: int) -> str:
    """Narrow rows, a tenth of them for the quarantine."""
    lines = (f"{n},north{n % 977},{'' if n % 10 == 3 else '1.50'},2026-03-01T00:00:00Z" for n in range(rows))
    return "\n".join(["id,region,amount,updated_at", *lines, ""])


def wide(rows: int) -> str:
    body = ",".join(f"value{at}" * 8 for at in range(WIDE))
    return "\n".join(["id," + ",".join(f"c{at}" for at in range(WIDE)), *(f"{n},{body}" for n in range(rows)), ""])


@requirement("REG-16", "CON-04")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="NOT TESTED: memory is read from /proc")
@pytest.mark.parametrize(("shape", "rows", "make"), [("long", 1_500_000, long), ("wide", 8_000, wide)])
def test_memory_is_flat(shape: str, rows: int, make: Callable[[int], str], tmp_path: Path) -> None:
    once, thrice = (peak(tmp_path, shape, count, make) for count in (rows, 3 * rows))
    assert thrice < 1000
    assert thrice < 1.3 * once


@requirement("REG-16", "CON-05")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="NOT TESTED: memory is read from /proc")
def test_telling_duplicates_apart_stays_within_its_memory(tmp_path: Path) -> None:
    """The keys seen are kept up to a part of `memory_limit`, then on disk: bounded, not flat."""
    assert peak(tmp_path, "keyed", 2_000_000, long) < 1000


# What remains of the limit beside Python and Arrow is small, and each partition has a file open.
LIMITED = f"""
import re, sys
from pathlib import Path
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.run import RunRequest
from dativo_provider.model.stream import Field
from dativo_provider.pipeline import steps
from tests.pipeline.build import ORDERS, Bench
texts = tuple(Field(f"c{{at}}", "string") for at in range({WIDE}))
fields = (Field("id", "long", required=True), *texts) if sys.argv[2] == "wide" else ORDERS
parts = {{"partitioning": (PartitionSpec("id", "bucket[50]"),)}} if sys.argv[3] == "parts" else {{}}
bench = Bench(Path(sys.argv[1]), fields=fields, target=parts, job={{"memory_limit_mb": 512}})
ctx = bench.context()
plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
rows = steps.extract(plan.path, 0, ctx).books.extracted
print(rows, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


@requirement("PRF-03", "ING-24")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="NOT TESTED: memory is read from /proc")
@pytest.mark.parametrize("parts", ["whole", "parts"])
@pytest.mark.parametrize(("shape", "rows", "make"), [("long", 1_500_000, long)])
def test_an_extract_stays_within_a_jobs_memory_limit(
    shape: str, rows: int, make: Callable[[int], str], parts: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text(make(rows))
    command = [sys.executable, "-c", LIMITED, str(tmp_path), shape, parts]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    extracted, megabytes = map(int, done.stdout.split())
    assert extracted == rows
    assert megabytes < 512


def peak(tmp_path: Path, shape: str, count: int, make: Callable[[int], str]) -> int:
    """Megabytes. `count` must be large enough to fill the row groups that are in memory anyway."""
    folder = tmp_path / str(count)
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.csv").write_text(make(count))
    command = [sys.executable, "-c", RUN, str(folder), shape]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    accepted, megabytes = map(int, done.stdout.split())
    assert accepted == (count if shape == "wide" else count * 9 // 10)
    return megabytes
