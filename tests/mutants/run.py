"""`python -m tests.mutants.run [WORD]`: plants each bug in a copy of the source and expects its tests to fail.

Exit code 1 when a mutant survives. WORD picks the mutants whose name contains it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.mutants.mutants import MUTANTS, Mutant
from tests.services.framework import services_folder

ROOT = Path(__file__).parents[2]
COPIED = ("dativo_provider", "dag_factory", "tests", "setup.cfg", "include", "dags", "contracts", "pyproject.toml")
FAILED = 1  # pytest's code for "tests ran and some failed"; others mean that nothing was proven


def copy_source(folder: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)


def run_tests(folder: Path, tests: Iterable[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:randomly", *tests]
    settings = {"PYTHONDONTWRITEBYTECODE": "1", "DATIVO_SERVICES_DIR": str(services_folder())}
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )


def plant(folder: Path, mutant: Mutant) -> None:
    """Raises `SystemExit` when the source has moved on and the patch no longer fits."""
    path = folder / mutant.path
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.path} has {text.count(mutant.old)} places for: {mutant.name}\n{mutant.old}")
    planted = text.replace(mutant.old, mutant.new)
    compile(planted, mutant.path, "exec")  # a bug that cannot even be read proves nothing
    path.write_text(planted)


def caught(folder: Path, mutant: Mutant) -> bool:
    original = (folder / mutant.path).read_text()
    plant(folder, mutant)
    try:
        done = run_tests(folder, mutant.tests)
    finally:
        (folder / mutant.path).write_text(original)
    if done.returncode not in {0, FAILED}:
        print(done.stdout[-3000:], done.stderr[-2000:])
    return done.returncode == FAILED


def main(arguments: Sequence[str]) -> int:
    wanted = [mutant for mutant in MUTANTS if not arguments or arguments[0] in mutant.name]
    with tempfile.TemporaryDirectory(prefix="dativo-mutants-") as scratch:
        folder = Path(scratch)
        copy_source(folder)
        for mutant in wanted:
            plant(folder, mutant)
            shutil.copy(ROOT / mutant.path, folder / mutant.path)
        healthy = run_tests(folder, dict.fromkeys(test for mutant in wanted for test in mutant.tests))
        if healthy.returncode:
            print(f"the tests fail without any mutant:\n{healthy.stdout[-3000:]}")
            return 2
        survivors = [mutant for mutant in wanted if not _report(folder, mutant)]
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} mutants caught")
    return 1 if survivors else 0


def _report(folder: Path, mutant: Mutant) -> bool:
    started = time.monotonic()
    found = caught(folder, mutant)
    print(f"{'caught  ' if found else 'SURVIVED'} {time.monotonic() - started:5.1f} s  {mutant.name}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
