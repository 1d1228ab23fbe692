"""A task is stopped from the UI: Airflow sends SIGTERM, the operator's `on_kill` ends the query at the source."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import requirement

REPOSITORY = Path(__file__).resolve().parents[2]
JOB = """\
tenant_id: acme
source_connector: postgres
target_connector: iceberg
source:
  connection_id: acme_shop
  tables:
    - {object: slow, query: "select id, pg_sleep(0.05)::text as nap from generate_series(1, 100000) id"}
"""
# As `task_runner` does: the handler is set before `execute`, and raises nothing itself.
TASK = """
import signal, sys
from pathlib import Path
from dag_factory.load import dags
from dativo_provider.errors import Cancelled
from dativo_provider.operators.extract import ExtractOperator
from tests.operators.samples import FakeTask, airflow_context
(dag,) = dags(Path(sys.argv[1]), "acme.slow")
task = FakeTask()
dag.get_task("slow.plan").execute(airflow_context(task=task))
names = {"task_id": "extract", "tenant": "acme", "job": "slow", "stream": "slow"}
extract = ExtractOperator(plan=task.pushed["plan"], index=0, **names)
signal.signal(signal.SIGTERM, lambda *_: extract.on_kill())
try:
    extract.execute(airflow_context(task=task))
except Cancelled:
    sys.exit(77)
"""


def wait_until(found: Callable[[], object], seconds: float) -> float:
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - started


@requirement("ORC-07")
def test_a_stopped_task_ends_its_query_within_five_seconds(database, tmp_path):
    jobs = tmp_path / "tenants" / "acme" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "slow.yaml").write_text(JOB)
    environment = {
        **os.environ,
        "AIRFLOW_CONN_ACME_SHOP": database.url,
        "AIRFLOW__DATIVO__HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(REPOSITORY),
    }
    task = subprocess.Popen([sys.executable, "-c", TASK, str(tmp_path)], env=environment)
    running = "select count(*) from pg_stat_activity where query ilike 'copy%pg_sleep%' and pid <> pg_backend_pid()"
    try:
        wait_until(lambda: task.poll() is not None or database.execute(running)[0][0], 120)
        assert task.poll() is None, "the task ended before it read anything"
        task.send_signal(signal.SIGTERM)
        assert wait_until(lambda: not database.execute(running)[0][0], 5) < 5
        assert task.wait(15) == 77
    finally:
        task.kill()
        task.wait()
    assert not list((tmp_path / "home").glob("warehouse/acme/slow/metadata/snap-*")), "nothing was published"


@pytest.fixture(autouse=True)
def _connections(airflow_db):
    """Variables and connections that the environment does not have are looked up in Airflow's database."""
