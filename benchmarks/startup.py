"""From `dativo run` to the first row, and what the time goes to.

    .venv/bin/python -m benchmarks.startup [--rounds 3]

CPU-seconds rather than seconds: they are what the command needs, whoever else uses the machine. Goal: below 3 s, and
nothing imported that the run does not use.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from benchmarks.result import Result
from tests.dag_factory.folders import make_job
from tests.services.framework import ROOT

MEASURED = """
import json, sys, time
from dativo_provider.pipeline import prefetch
from dativo_provider.cli.main import main
first, real = [], prefetch._put
def put(queue, item, stop):
    first.append((time.process_time(), time.monotonic()))
    return real(queue, item, stop)
prefetch._put = put
started = time.monotonic()
code = main(["run", "--config", sys.argv[1], "-q", "--json"])
assert code < 2
print("\\n" + json.dumps({"cpu": first[0][0], "wall": first[0][1] - started, "all": time.process_time(),
    "modules": sorted(name.split(".")[0] for name in sys.modules)}))
"""


def measured(job: Path, home: Path) -> dict[str, object]:
    command = [sys.executable, "-c", MEASURED, str(job)]
    environment = {"PATH": "/usr/bin:/bin", "DATIVO_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as folder:
        job = make_job(Path(folder) / "dags")
        measured(job, Path(folder) / "warm")  # compiles what was not yet
        found = [measured(job, Path(folder) / str(number)) for number in range(given.rounds)]
    seconds, cpu = ([float(str(each[name])) for each in found] for name in ("wall", "all"))
    Result(
        "09-start-cli",
        "`dativo run` to the first row",
        "limit",
        "s",
        seconds,
        3,
        "less",
        {"CPU of the run": median(cpu)},
    ).record()
    modules = Counter(found[0]["modules"])  # type: ignore[arg-type]
    print("modules:", ", ".join(f"{name} {count}" for name, count in modules.most_common(12)))


if __name__ == "__main__":
    main()
