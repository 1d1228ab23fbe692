from __future__ import annotations

import time
from pathlib import Path

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from dativo_provider.errors import Unsupported
from tests.dag_factory.folders import job_text, loaded, make_job, make_tenant
from tests.support import requirement


def test_every_job_below_the_loader_is_a_dag(tmp_path):
    make_job(tmp_path)
    make_job(tmp_path, "globex", "items")
    assert set(loaded(tmp_path)) == {"acme.orders", "globex.items"}


def test_a_job_dropped_flat_into_the_folder_is_a_dag_too(tmp_path):
    make_tenant(tmp_path)
    text = job_text(name="flat").replace("../", "tenants/acme/")
    (tmp_path / "flat.yaml").write_text(text)
    assert "acme.flat" in loaded(tmp_path)


def test_changing_a_file_changes_the_dag_and_deleting_it_removes_it(tmp_path):
    path = make_job(tmp_path)
    assert loaded(tmp_path)["acme.orders"].timetable.expression == "0 * * * *"
    make_job(tmp_path, minute=30)
    assert loaded(tmp_path)["acme.orders"].timetable.expression == "30 * * * *"
    path.unlink()
    assert loaded(tmp_path) == {}


def test_a_contract_that_changes_changes_the_documentation(tmp_path):
    folder = make_job(tmp_path).parent.parent
    contract = folder / "contracts" / "orders.odcs.yaml"
    contract.write_text(contract.read_text().replace("version: 1.0.0", "version: 1.1.0"))
    assert "Contract **orders** 1.1.0" in loaded(tmp_path)["acme.orders"].doc_md


@pytest.mark.parametrize(
    ("more", "line"),
    [("colour: red\n", 11), ("  - broken: [\n", 11), ("schedule: {cron: every day}\n", 11)],
)
def test_a_broken_yaml_is_a_dag_that_shows_the_place_and_the_others_are_untouched(tmp_path, more, line):
    make_job(tmp_path, name="broken", more=more)
    make_job(tmp_path)
    found = loaded(tmp_path)
    assert "dativo:invalid" in found["acme.broken"].tags
    assert f"tenants/acme/jobs/broken.yaml:{line}" in found["acme.broken"].doc_md
    assert "dativo:invalid" not in found["acme.orders"].tags


def test_the_only_task_of_a_broken_job_fails_with_the_same_words(tmp_path):
    make_job(tmp_path, more="colour: red\n")
    (task,) = loaded(tmp_path)["acme.orders"].tasks
    with pytest.raises(Exception, match="colour"):
        task.execute({})


def test_a_broken_contract_is_shown_where_it_is_broken(tmp_path):
    folder = make_job(tmp_path).parent.parent
    contract = folder / "contracts" / "orders.odcs.yaml"
    contract.write_text(contract.read_text().replace("logicalType: integer", "logicalType: intger"))
    assert "contracts/orders.odcs.yaml:" in loaded(tmp_path)["acme.orders"].doc_md


def test_two_files_that_claim_one_dag_are_both_named(tmp_path):
    make_job(tmp_path)
    flat = job_text().replace("../", "tenants/acme/")
    (tmp_path / "orders.yaml").write_text(flat)
    dag = loaded(tmp_path)["acme.orders"]
    assert "dativo:invalid" in dag.tags
    assert "`orders.yaml`" in dag.doc_md
    assert "`tenants/acme/jobs/orders.yaml`" in dag.doc_md


def test_a_job_that_breaks_dativo_itself_does_not_take_the_others_with_it(tmp_path, monkeypatch):
    from dag_factory import load as module

    make_job(tmp_path)
    make_job(tmp_path, name="worse")
    real = module.build

    def build(job, options):
        if job.name == "worse":
            raise ZeroDivisionError("surprise")
        return real(job, options)

    monkeypatch.setattr(module, "build", build)
    found = loaded(tmp_path)
    assert "ZeroDivisionError" in found["acme.worse"].doc_md
    assert "dativo:invalid" not in found["acme.orders"].tags


def test_a_task_builds_only_its_own_dag_and_does_so_fast(tmp_path, monkeypatch):
    for number in range(50):
        make_job(tmp_path, name=f"job_{number}")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "acme.job_7")
    loaded(tmp_path)
    started = time.process_time()
    assert set(loaded(tmp_path)) == {"acme.job_7"}
    assert time.process_time() - started < 0.05


def test_a_context_left_over_from_another_dag_finds_nothing_and_breaks_nothing(tmp_path, monkeypatch):
    make_job(tmp_path)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "somebody.elses")
    assert loaded(tmp_path) == {}


RUNNER = """\
runner:
  orchestrator:
    concurrency_per_tenant: 3
    schedules:
      - name: hourly
        config: tenants/acme/jobs/orders.yaml
        cron: "5 4 * * *"
        timezone: Europe/Berlin
        enabled: {enabled}
        max_concurrent_runs: 2
        tags: {{team: finance}}
"""


@requirement("ORC-02", "ORC-04", "ORC-06")
def test_a_schedule_of_the_runner_file_overrides_the_jobs_own(tmp_path):
    make_job(tmp_path)
    make_job(tmp_path, name="other")
    (tmp_path / "runner.yaml").write_text(RUNNER.format(enabled="true"))
    found = loaded(tmp_path)
    orders = found["acme.orders"]
    assert (orders.timetable.expression, str(orders.timetable.timezone)) == ("5 4 * * *", "Europe/Berlin")
    assert "team:finance" in orders.tags
    assert found["acme.other"].timetable.expression == "0 * * * *"


@requirement("ORC-03")
def test_a_schedule_can_be_switched_off_in_the_runner_file(tmp_path):
    make_job(tmp_path)
    (tmp_path / "runner.yaml").write_text(RUNNER.format(enabled="false"))
    assert loaded(tmp_path)["acme.orders"].schedule is None


@requirement("ORC-05")
def test_the_tenants_concurrency_bounds_its_tasks(tmp_path):
    make_job(tmp_path)
    (tmp_path / "runner.yaml").write_text(RUNNER.format(enabled="true"))
    assert {task.max_active_tis_per_dag for task in loaded(tmp_path)["acme.orders"].tasks} == {3}


def test_a_broken_runner_file_is_shown_and_jobs_keep_their_own_schedules(tmp_path):
    make_job(tmp_path)
    (tmp_path / "runner.yaml").write_text("runner: {orchestrator: {schedule: []}}\n")
    found = loaded(tmp_path)
    assert "runner.yaml:1" in found["dativo.runner"].doc_md
    assert found["acme.orders"].timetable.expression == "0 * * * *"


@requirement("REG-04", "ORC-01")
def test_as_many_files_run_as_many_jobs(tmp_path):
    for number in range(10):
        make_job(tmp_path, name=f"job_{number}", minute=number)
    for dag_id, dag in loaded(tmp_path).items():
        number = dag_id.rpartition("_")[2]
        assert dag.timetable.expression == f"{number} * * * *"
        assert dag.get_task(next(iter(dag.task_ids))).path.endswith(f"/job_{number}.yaml")


def test_the_folder_a_worker_checked_out_does_not_make_another_version_of_the_dag(tmp_path):
    found = []
    for name in ("version_1", "version_2"):
        make_job(tmp_path / name)
        written = DagSerialization.to_dict(loaded(tmp_path / name)["acme.orders"])["dag"]
        found.append({key: value for key, value in written.items() if key not in ("fileloc", "relative_fileloc")})
    assert found[0] == found[1]
    assert str(tmp_path) not in str(found)


@requirement("TEN-01")
def test_a_connection_of_another_tenant_is_refused(tmp_path):
    path = make_job(tmp_path)
    path.write_text(path.read_text().replace("source:\n", "source:\n  connection_id: globex_db\n"))
    dag = loaded(tmp_path)["acme.orders"]
    assert "dativo:invalid" in dag.tags
    assert "globex" in dag.doc_md


REPOSITORY = Path(__file__).resolve().parents[2]
SNIPPETS = REPOSITORY / "tests" / "config" / "snippets"


def published(tmp_path, tenant, name):
    folder = make_tenant(tmp_path, tenant)
    (folder / "jobs" / f"{name}.yaml").write_text((SNIPPETS / f"{name}.yaml").read_text())
    for contract in (SNIPPETS / "contracts").iterdir():
        (folder / "contracts" / contract.name).write_text(contract.read_text())
    return loaded(tmp_path)[f"{tenant}.{name}"]


@requirement("SN-01", "ORC-02")
def test_the_published_articles_job_is_an_hourly_dag(tmp_path):
    dag = published(tmp_path, "techcorp", "zendesk_articles_to_markdown_kv")
    assert (dag.timetable.expression, dag.catchup) == ("0 * * * *", False)
    assert not [tag for tag in dag.tags if tag in ("dativo:unsupported", "dativo:invalid")]
    assert {task.task_id.rpartition(".")[2] for task in dag.tasks} >= {"plan", "extract", "audit", "publish"}


@requirement("SN-02")
def test_the_published_bill_job_is_a_dag_with_its_schedule_that_says_what_is_missing(tmp_path):
    dag = published(tmp_path, "financeops", "aws_billing_to_iceberg")
    assert "dativo:unsupported" in dag.tags
    assert (dag.timetable.expression, dag.catchup) == ("0 * * * *", False)
    assert "Not supported yet" in dag.doc_md
    (task,) = dag.tasks
    with pytest.raises(Unsupported):
        task.execute({})


def test_the_shipped_example_tenants_are_dags():
    found = loaded(REPOSITORY / "dags")
    assert {"acme.orders", "acme.customers", "globex.shop_orders"} <= set(found)
    assert not [dag_id for dag_id, dag in found.items() if "dativo:invalid" in dag.tags]
