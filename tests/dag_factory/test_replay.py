"""Rows of the inbox, replayed from Airflow's form: whole runs as `airflow dags test` makes them."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from dativo_provider.cli.main import main
from tests.dag_factory.folders import everything, loaded, make_job
from tests.dag_factory.test_run import events, root, rows, run, xcoms
from tests.support import requirement

__all__ = ["root"]


def replay(root, **conf):
    done = run(root, "acme.replay", **conf)
    return done.state, xcoms(done).get(("replay", "return_value"))


@requirement("QUA-05")
def test_rows_that_a_person_corrected_are_replayed_from_the_form_once_and_wake_who_waits(root, tmp_path, monkeypatch):
    job = make_job(root)
    assert run(root).state == "success"
    before, home = events("acme.orders"), tmp_path / "home"
    assert replay(root, dry_run=True) == ("success", {"causes": {"amount.range": 1}})
    state, told = replay(root, job="orders")
    assert (state, told["chosen"], told["accepted"], told["set_aside_again"]) == ("success", 1, 0, 1)
    assert events("acme.orders") == before, "no row came, so nobody is woken"

    monkeypatch.setenv("DATIVO_HOME", str(home))
    fix = ["quarantine", "fix", "--config", str(job), "--set", "amount = '7'", "--by", "ann"]
    assert main(fix) == 0
    state, told = replay(root, status="reviewed", cause="amount.range", limit=10)
    assert (state, told["chosen"], told["accepted"], told["inserted"]) == ("success", 1, 1, 1)
    assert sorted((row["order_id"], row["amount"]) for row in rows(home)) == [(1, 10.5), (2, 20.0), (3, 7.0)]
    assert events("acme.orders") == before + 1
    assert replay(root) == ("success", {"chosen": 0, "skipped": {}})
    assert len(rows(home)) == 3


def test_a_replay_that_fails_fails_its_task_and_the_rows_stay(root, tmp_path):
    make_job(root)
    run(root)
    path = root / "tenants" / "acme" / "jobs" / "orders.yaml"
    path.write_text(path.read_text().replace("  incremental: {strategy: file_modified_time}\n", ""))
    assert replay(root) == ("failed", None)
    assert len(rows(tmp_path / "home", "acme.orders_quarantine")) == 1


def test_every_tenant_has_one_whose_form_offers_its_jobs(tmp_path):
    make_job(tmp_path)
    make_job(tmp_path, name="items")
    make_job(tmp_path, "globex")
    found = everything(tmp_path)
    two, one = found["acme.replay"], found["globex.replay"]
    assert two.schedule is None
    assert two.params.get_param("job").schema["enum"] == ["items", "orders"]
    with pytest.raises((ParamValidationError, AirflowRuntimeError)):
        two.params.get_param("job").resolve()
    assert one.params["job"] == "orders"
    stored = DagSerialization.to_dict(two)["dag"]
    assert str(tmp_path) not in str({key: stored[key] for key in stored if "fileloc" not in key})


def test_its_task_builds_only_it_and_a_job_of_that_name_goes_first(tmp_path, monkeypatch):
    make_job(tmp_path)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "acme.replay")
    assert set(everything(tmp_path)) == {"acme.replay"}
    make_job(tmp_path, name="replay")
    assert set(loaded(tmp_path)) == {"acme.replay"}
