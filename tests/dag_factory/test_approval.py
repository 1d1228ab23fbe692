"""Approval inside Airflow: whole runs as `airflow dags test` makes them, answered through Airflow's own API."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dativo_provider.config import settings_from
from dativo_provider.model.context import RunContext
from dativo_provider.pipeline.approve import approve, reject
from dativo_provider.store import connect
from dativo_provider.store.open import store_settings
from tests.dag_factory.folders import make_job
from tests.dag_factory.test_run import events, root, rows, run, states
from tests.support import requirement

__all__ = ["root"]
TASKS = ("plan", "extract", "audit", "stage", "approve", "publish", "sync")
WAITS = "target:\n  publish: branch\n"


@pytest.fixture(scope="module")
def api(airflow_db: None) -> Iterator[Any]:
    """Airflow's API server over the database of the tests, for a user who may do everything."""
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    from tests.airflow_home import HOME

    assert HOME.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
        with TestClient(create_app(apps="core"), base_url="http://testserver") as client:
            token = client.get("/auth/token").json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client


def parked() -> Any:
    """The task that waits for a person."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    with create_session() as session:
        found = session.query(TaskInstance).filter(TaskInstance.state == TaskInstanceState.AWAITING_INPUT).first()
        return (found.dag_id, found.run_id, found.task_id) if found else None


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """`act` happens while the run waits: `dags test` sleeps then, in this very thread."""
    real = time.sleep

    def sleep(seconds: float) -> None:
        caller = sys._getframe(1).f_globals["__name__"]
        if caller == "airflow.sdk.definitions.dag" and parked():
            act()
        else:
            real(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", sleep)
        yield


def answers(api: Any, option: str) -> Callable[[], None]:
    def act() -> None:
        dag_id, run_id, task_id = parked()
        detail = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        asked = api.get(detail).json()
        assert "acme.orders`: 2 added, 0 changed, 0 removed; 1 went to quarantine" in asked["body"]
        answer = api.patch(detail, json={"chosen_options": [option], "params_input": {}})
        assert answer.status_code == 200, answer.text

    return act


def record(home: Any) -> Any:
    with connect(store_settings(settings_from({"home": str(home)})), {}) as store:
        return store.runs(limit=1)[0]


@requirement("MKV-09", "ORC-01")
def test_rows_are_published_and_announced_once_a_person_has_approved_them(root, tmp_path, api):
    data = make_job(root, more=WAITS).parent.parent / "data"
    before = events("acme.orders")
    with meanwhile(answers(api, "Approve")):
        done = run(root)
    assert (done.state, states(done)) == ("success", dict.fromkeys(TASKS, "success"))
    assert sorted(row["order_id"] for row in rows(tmp_path / "home")) == [1, 2]
    assert events("acme.orders") == before + 1
    assert (record(tmp_path / "home").status, record(tmp_path / "home").decided_by) == ("published", "Anonymous")

    nothing = run(root)
    assert nothing.state == "success", "no row changed, so nobody is asked"
    assert states(nothing) == {**dict.fromkeys(TASKS, "success"), "extract": "skipped"}
    assert events("acme.orders") == before + 1
    assert (data / "orders_1.csv").exists()


@requirement("MKV-09")
def test_a_rejection_skips_the_publish_and_the_next_run_asks_about_the_same_rows(root, tmp_path, api):
    make_job(root, more=WAITS)
    before = events("acme.orders")
    with meanwhile(answers(api, "Reject")):
        done = run(root)
    assert states(done) == {**dict.fromkeys(TASKS, "success"), "publish": "skipped", "sync": "skipped"}
    assert (rows(tmp_path / "home"), events("acme.orders")) == ([], before)
    assert (record(tmp_path / "home").status, record(tmp_path / "home").decided_by) == ("rejected", "Anonymous")
    with meanwhile(answers(api, "Approve")):
        assert run(root).state == "success"
    assert sorted(row["order_id"] for row in rows(tmp_path / "home")) == [1, 2]


def time_passes() -> None:
    """The part of the scheduler that looks at the time; `dags test` has no scheduler."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    time.sleep(0.2)
    SchedulerJobRunner(job=Job()).check_awaiting_input_timeouts()


@requirement("MKV-09")
@pytest.mark.parametrize("then", ["wait", "reject"])
def test_nobody_answers_in_time(root, tmp_path, api, then):
    job = make_job(root, more=f"{WAITS}  approval: {{timeout: 1s, on_timeout: {then}}}\n")
    with meanwhile(time_passes):
        done = run(root)
    assert rows(tmp_path / "home") == []
    if then == "reject":
        assert states(done) == {**dict.fromkeys(TASKS, "success"), "publish": "skipped", "sync": "skipped"}
        assert record(tmp_path / "home").decided_by == "nobody, in time"
        return
    ended = {"approve": "failed", "publish": "upstream_failed", "sync": "upstream_failed"}
    assert states(done) == {**dict.fromkeys(TASKS, "success"), **ended}
    assert record(tmp_path / "home").status == "awaiting_approval"
    assert states(run(root))["plan"] == "failed", "the rows still wait"
    assert job.exists()


@requirement("MKV-09")
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_what_the_command_line_decided_while_airflow_asked_stands(root, tmp_path, api, verb):
    make_job(root, more=WAITS)
    before, decide = events("acme.orders"), {"approve": approve, "reject": reject}
    other = "Reject" if verb == "approve" else "Approve"

    def act() -> None:
        plan = f"{record(tmp_path / 'home').folder}/plan.json"
        decide[verb](plan, RunContext(settings_from({"home": str(tmp_path / "home")})), "Ada")
        answers(api, other)()

    with meanwhile(act):
        done = run(root)
    assert record(tmp_path / "home").decided_by == "Ada"
    assert len(rows(tmp_path / "home")) == (2 if verb == "approve" else 0)
    assert events("acme.orders") == before + (1 if verb == "approve" else 0)
    assert states(done)["publish"] == ("success" if verb == "approve" else "skipped")
