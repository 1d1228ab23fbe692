"""`airflow backfill create` against a real scheduler: each run reads its own interval, in a lane of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dag_factory.folders import make_job
from tests.services.builds import speaks_http
from tests.services.postgres import Database
from tests.support import requirement

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400
FIRST = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
pytestmark = [pytest.mark.slow, pytest.mark.one_set, pytest.mark.timeout(900)]


class Airflow:
    """API server, scheduler with LocalExecutor and DAG processor over a home and a database of their own."""

    def __init__(self, home: Path, database: Database) -> None:
        self.home, self.port, self._running = home, _free_port(), []
        self._database = database  # SQLite would be locked when the command line and the scheduler write at once
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "DATIVO"))}
        self.env |= {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url.replace("postgresql:", "postgresql+psycopg2:"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of-this-test-alone-0123456789abcdef0123456789abcdef",
            "AIRFLOW__OPENLINEAGE__DISABLED": "True",
            "AIRFLOW__DATIVO__HOME": str(home / "dativo"),
        }

    def __call__(self, *words: str) -> str:
        done = subprocess.run(["airflow", *words], env=self.env, cwd=self.home, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def start(self) -> None:
        """The scheduler last: tasks that find no API server fail."""
        self("db", "migrate")
        self._begin("api-server")
        self._begin("dag-processor")
        wait(lambda: speaks_http(f"http://127.0.0.1:{self.port}/execution/health"), 240, self)
        self._begin("scheduler")

    def _begin(self, name: str) -> None:
        log = (self.home / f"{name}.log").open("w")
        started = subprocess.Popen(
            ["airflow", name], env=self.env, cwd=self.home, stdout=log, stderr=log, start_new_session=True
        )
        self._running.append(started)

    def stop(self) -> None:
        for process in self._running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def unpauses(self, dag: str) -> bool:
        """Once it is known; others stay paused."""
        known = self._database.execute(f"select 1 from serialized_dag where dag_id = '{dag}'")
        if known:
            self._database.execute(f"update dag set is_paused = false where dag_id = '{dag}'")
        return bool(known)

    def runs(self, kind: str) -> list[tuple[str, str]]:
        """(day the interval begins, state), by day."""
        found = self._database.execute(
            "select to_char(data_interval_start at time zone 'utc', 'YYYY-MM-DD'), state from dag_run "
            f"where dag_id = 'acme.orders' and run_type = '{kind}' order by 1"
        )
        return [(str(day), str(state)) for day, state in found]


@pytest.fixture
def airflow(tmp_path: Path, database: Database) -> Iterator[Airflow]:
    """Over one job with a file for each of the first five days of March."""
    home = tmp_path / "airflow"
    dags = home / "dags"
    folder = make_job(dags).parent.parent
    shutil.rmtree(folder / "data")
    (folder / "data").mkdir()
    job = folder / "jobs" / "orders.yaml"
    job.write_text(
        job.read_text()
        .replace('cron: "0 * * * *"', "cron: '@daily'")
        .replace("  object:", "  key: order_id\n  object:")
    )
    for day in range(1, 6):
        path = folder / "data" / f"{day}.csv"
        path.write_text(f"order_id,amount\n{day},10\n")
        at = FIRST + (day - 1) * DAY + 3600
        os.utime(path, (at, at))
    made = Airflow(home, database)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@requirement("STA-07", "REG-08")
def test_airflows_own_backfill_reads_each_interval_once_and_leaves_the_cursor_alone(airflow: Airflow) -> None:
    wait(lambda: airflow.unpauses("acme.orders"), 240, airflow)
    wait(lambda: [state for _, state in airflow.runs("scheduled")] == ["success"], 480, airflow)
    before = published(airflow.home / "dativo")
    (live,) = states(before)
    days = ("--from-date", "2026-03-02", "--to-date", "2026-03-04")
    airflow("backfill", "create", "--dag-id", "acme.orders", *days)
    wait(lambda: [state for _, state in airflow.runs("backfill")] == ["success"] * 3, 480, airflow)
    assert [day for day, _ in airflow.runs("backfill")] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    after = published(airflow.home / "dativo")
    assert sorted(row["order_id"] for row in after.scan().to_arrow().to_pylist()) == [1, 2, 3, 4, 5]
    assert after.properties[live] == before.properties[live]
    lanes = sorted(states(after) - {live})
    assert [lane.partition(".backfill.")[2][:10] for lane in lanes] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    read = [file for plan in plans(airflow.home / "dativo") for file in plan["window"]["detail"]["files"]]
    assert sorted(Path(file["path"]).name for file in read) == sorted(
        [f"{day}.csv" for day in (1, 2, 2, 3, 3, 4, 4, 5)]
    )


def published(home: Path) -> Any:
    from pyiceberg.catalog import load_catalog

    from dativo_provider.config import settings_from

    catalog = settings_from({"home": str(home)}).catalog
    return load_catalog(catalog.name, **catalog.properties).load_table("acme.orders")


def states(table: Any) -> set[str]:
    return {key for key in table.properties if key.startswith("dativo.state.")}


def plans(home: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (home / "warehouse" / "_dativo").rglob("plan.json")]


def wait(done: Callable[[], bool], seconds: float, airflow: Airflow) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            logs = {path.name: path.read_text()[-1500:] for path in airflow.home.glob("*.log")}
            pytest.fail(f"not after {seconds} s: {airflow.runs('backfill')} {logs}")
        time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
