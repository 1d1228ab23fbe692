"""The maintenance DAG of a tenant."""

from __future__ import annotations

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from tests.dag_factory.folders import everything, loaded, make_job
from tests.support import requirement


def tenant_file(tmp_path, text, tenant="acme"):
    path = tmp_path / "tenants" / tenant / "tenant.yaml"
    path.write_text(path.read_text() + text)


@requirement("TAG-08")
def test_every_tenant_has_one_with_a_task_per_job(tmp_path):
    make_job(tmp_path)
    make_job(tmp_path, name="items")
    make_job(tmp_path, "globex")
    found = everything(tmp_path)
    assert {"acme.maintenance", "globex.maintenance"} <= set(found)
    dag = found["acme.maintenance"]
    (task,) = dag.tasks
    files = task.expand_input.value["file"]
    assert files == ["tenants/acme/jobs/items.yaml", "tenants/acme/jobs/orders.yaml"]
    assert (dag.timetable.expression, dag.catchup, dag.max_active_runs) == ("17 2 * * *", False, 1)


def test_its_schedule_is_the_tenants(tmp_path):
    make_job(tmp_path)
    tenant_file(tmp_path, 'maintenance: {cron: "5 4 * * sun", timezone: Europe/Berlin}\n')
    timetable = everything(tmp_path)["acme.maintenance"].timetable
    assert (timetable.expression, str(timetable.timezone)) == ("5 4 * * sun", "Europe/Berlin")


@pytest.mark.parametrize("text", ["maintenance: {enabled: false}\n", "maintenance: {colour: red}\n"])
def test_there_is_none_where_it_is_off_or_its_file_is_broken(tmp_path, text):
    make_job(tmp_path)
    tenant_file(tmp_path, text)
    assert "acme.maintenance" not in everything(tmp_path)


def test_it_can_be_left_without_a_schedule_and_is_started_by_hand(tmp_path):
    make_job(tmp_path)
    tenant_file(tmp_path, "maintenance: {manual: true}\n")
    assert everything(tmp_path)["acme.maintenance"].schedule is None


def test_a_job_of_that_name_goes_first(tmp_path):
    make_job(tmp_path, name="maintenance")
    dag = everything(tmp_path)["acme.maintenance"]
    assert "dativo:blueprint" not in dag.tags


def test_its_task_builds_only_it(tmp_path, monkeypatch):
    make_job(tmp_path)
    make_job(tmp_path, "globex")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "acme.maintenance")
    assert set(everything(tmp_path)) == {"acme.maintenance"}
    assert loaded(tmp_path) == {}


def test_the_folder_a_worker_checked_out_is_not_in_the_dag(tmp_path):
    make_job(tmp_path)
    written = DagSerialization.to_dict(everything(tmp_path)["acme.maintenance"])["dag"]
    plain = {key: value for key, value in written.items() if key not in ("fileloc", "relative_fileloc")}
    assert str(tmp_path) not in str(plain)
