"""From `airflow dags test` to the first row on disk: Airflow's own start, the DAG file, the plan, the extract task.

.venv/bin/python -m benchmarks.startup_airflow [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.result import Result
from tests.dag_factory.folders import make_job
from tests.services.framework import ROOT

AIRFLOW = str(Path(sys.executable).with_name("airflow"))


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }


def measured(home: Path, env: dict[str, str]) -> float:
    """Seconds until the first staged Parquet file was whole."""
    started = time.time()
    command = [AIRFLOW, "dags", "test", "acme.orders"]
    subprocess.run(command, check=True, env={**env, "DATIVO_HOME": str(home)}, capture_output=True)
    return min(file.stat().st_mtime for file in home.rglob("*.parquet")) - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dativo-bench-") as name:
        folder = Path(name)
        make_job(folder / "dags")
        env = environment(folder)
        subprocess.run([AIRFLOW, "db", "migrate"], check=True, env=env, capture_output=True)
        measured(folder / "warm", env)
        seconds = [measured(folder / str(number), env) for number in range(given.rounds)]
    Result("09-start-airflow", "`airflow dags test` to the first row", "limit", "s", seconds, 10, "less").record()


if __name__ == "__main__":
    main()
