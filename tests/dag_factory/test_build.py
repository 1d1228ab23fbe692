from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from dag_factory.build import build, build_invalid
from dag_factory.options import FactoryOptions
from dativo_provider.errors import ContractViolation, SourceUnavailable
from dativo_provider.model.job import ApprovalSpec, RetrySpec, ScheduleSpec, SourceSpec, TargetSpec, TransformSpec
from dativo_provider.operators.retry import ErrorTreePolicy
from tests.operators.samples import CONTRACT, INCREMENTAL, STREAM, sample_job
from tests.support import requirement


def edges(dag):
    return {(task.task_id, below) for task in dag.tasks for below in task.downstream_task_ids}


@requirement("SN-18")
def test_the_tasks_of_a_stream_stand_in_the_order_of_the_flow():
    assert edges(build(sample_job())) == {
        ("orders.plan", "orders.extract"),
        ("orders.extract", "orders.audit"),
        ("orders.audit", "orders.publish"),
        ("orders.publish", "orders.sync"),
    }


@requirement("SN-18")
def test_a_windowed_transform_gets_a_task_between_extract_and_audit():
    dag = build(sample_job(transforms=(TransformSpec("t", "total", "sum(a) over ()", windowed=True),)))
    assert {("orders.extract", "orders.transform"), ("orders.transform", "orders.audit")} <= edges(dag)
    assert dag.get_task("orders.transform").trigger_rule == "none_failed"


WAITING = TargetSpec(namespace="acme", publish="branch", approval=ApprovalSpec(3600, "reject"))


@requirement("MKV-09", "SN-18")
def test_before_rows_on_a_branch_are_published_somebody_is_asked():
    dag = build(sample_job(target=WAITING))
    assert edges(dag) == {
        ("orders.plan", "orders.extract"),
        ("orders.extract", "orders.audit"),
        ("orders.audit", "orders.stage"),
        ("orders.stage", "orders.approve"),
        ("orders.approve", "orders.publish"),
        ("orders.publish", "orders.sync"),
    }
    announcing = [task.task_id for task in dag.tasks if task.outlets]
    assert announcing == ["orders.publish"], "rows on a branch wake nobody"
    approve = dag.get_task("orders.approve")
    assert (approve.response_timeout, approve.defaults) == (timedelta(hours=1), ["Reject"])
    assert approve.template_fields == ("plan",)
    assert "After 1 hour without an answer they are dropped" in dag.doc_md
    assert serialized(dag) == serialized(build(sample_job(target=WAITING)))
    patient = build(sample_job(target=replace(WAITING, approval=ApprovalSpec())))
    assert patient.get_task("orders.approve").defaults is None


def test_a_row_wise_transform_gets_none():
    assert "orders.transform" not in build(sample_job(transforms=(TransformSpec("t", "x", "a"),))).task_ids


def test_a_window_without_slices_skips_extract_and_nothing_else():
    dag = build(sample_job())
    assert dag.get_task("orders.audit").trigger_rule == "none_failed"
    assert dag.get_task("orders.publish").trigger_rule == "all_success"


def test_each_stream_is_a_group_and_streams_do_not_wait_for_each_other():
    customers = replace(STREAM, name="public.customers", table="customers")
    dag = build(sample_job(streams=(STREAM, customers)))
    assert set(dag.task_group.children) == {"orders", "public_customers"}
    assert dag.task_group.children["public_customers"].group_display_name == "public.customers"
    assert not [edge for edge in edges(dag) if edge[0].split(".")[0] != edge[1].split(".")[0]]


def serialized(dag):
    return json.dumps(DagSerialization.to_dict(dag), sort_keys=True)


@pytest.mark.parametrize("options", [FactoryOptions(), FactoryOptions(manage_pools=True, manage_roles=True)])
def test_two_builds_serialize_alike_and_come_back(options):
    job = sample_job(streams=(replace(STREAM, incremental=INCREMENTAL),))
    first, second = build(job, options), build(job, options)
    assert serialized(first) == serialized(second)
    back = DagSerialization.from_dict(DagSerialization.to_dict(first))
    assert {task.task_id for task in back.tasks} == set(first.task_ids)


@requirement("ORC-02", "ORC-04")
def test_cron_keeps_its_time_zone_and_catches_nothing_up():
    dag = build(sample_job())
    assert (dag.timetable.expression, str(dag.timetable.timezone)) == ("0 6 * * *", "Europe/Berlin")
    assert dag.catchup is False


@requirement("ORC-02")
def test_an_interval_stays_exact():
    dag = build(sample_job(schedule=ScheduleSpec(interval_seconds=5400)))
    assert dag.timetable.delta == timedelta(minutes=90)


@requirement("ORC-03")
def test_a_schedule_that_is_switched_off_leaves_a_dag_to_start_by_hand():
    dag = build(sample_job(schedule=ScheduleSpec(cron="0 6 * * *", enabled=False)))
    assert dag.schedule is None
    assert "schedule:off" in dag.tags


@requirement("ORC-05")
def test_incremental_jobs_run_one_at_a_time_and_full_loads_as_configured():
    schedule = ScheduleSpec(cron="@daily", max_concurrent_runs=4)
    assert build(sample_job(schedule=schedule)).max_active_runs == 4
    incremental = sample_job(schedule=schedule, streams=(replace(STREAM, incremental=INCREMENTAL),))
    assert build(incremental).max_active_runs == 1


@requirement("ORC-05", "TEN-01")
def test_a_tenants_concurrency_is_a_pool_once_pools_are_managed_else_a_bound_per_task():
    bounded = build(sample_job(), FactoryOptions(concurrency=2))
    assert {task.pool for task in bounded.tasks} == {"default_pool"}
    assert {task.max_active_tis_per_dag for task in bounded.tasks} == {2}
    pooled = build(sample_job(), FactoryOptions(concurrency=2, manage_pools=True))
    assert {task.pool for task in pooled.tasks} == {"dativo_acme"}


@requirement("ING-15", "ORC-05")
def test_tasks_that_read_one_source_are_bounded_by_its_connections():
    source = SourceSpec("postgres", {"host": "${PGHOST}", "database": "shop"}, pool_size=3)
    plain = build(sample_job(source=source))
    assert plain.get_task("orders.extract").max_active_tis_per_dag == 3
    assert plain.get_task("orders.publish").max_active_tis_per_dag is None
    assert build(sample_job()).get_task("orders.extract").max_active_tis_per_dag is None, "files have no connections"
    narrow = build(sample_job(source=source), FactoryOptions(concurrency=2))
    assert narrow.get_task("orders.extract").max_active_tis_per_dag == 2


@requirement("ING-15", "ORC-05")
def test_jobs_of_one_source_share_its_pool_once_pools_are_managed():
    options = FactoryOptions(manage_pools=True)
    one, same = (SourceSpec("postgres", {"host": "db", "database": "shop", "user": user}) for user in "ab")
    other, named = SourceSpec("postgres", {"host": "db2"}), SourceSpec("postgres", connection_id="acme_shop")
    pools = [build(sample_job(source=s), options).get_task("orders.extract").pool for s in (one, same, other, named)]
    assert pools[0] == pools[1] != pools[2]
    assert pools[0].startswith("dativo_acme.postgres-")
    assert pools[3] == "dativo_acme.acme_shop"
    assert build(sample_job(source=one), options).get_task("orders.publish").pool == "dativo_acme"


@requirement("TEN-01")
def test_a_tenants_role_may_see_and_run_its_dags_once_roles_are_managed():
    assert build(sample_job()).access_control is None
    granted = build(sample_job(), FactoryOptions(manage_roles=True)).access_control
    assert granted == {"dativo_acme": {"DAGs": {"can_read", "can_edit"}, "DAG Runs": {"can_create", "can_read"}}}


@requirement("ORC-07")
def test_retries_follow_the_jobs_configuration_and_the_error_tree():
    task = build(sample_job(retry=RetrySpec(max_retries=5, initial_delay_seconds=7))).get_task("orders.extract")
    assert (task.retries, task.retry_delay) == (5, timedelta(seconds=7))
    policy = task.partial_kwargs["retry_policy"]
    assert isinstance(policy, ErrorTreePolicy)
    assert policy.evaluate(SourceUnavailable("x"), 1, 5).action.value == "retry"
    assert policy.evaluate(ContractViolation("x"), 1, 5).action.value == "fail"


def test_publish_announces_the_table_as_an_asset_of_the_tenant():
    (asset,) = build(sample_job()).get_task("orders.publish").outlets
    assert (asset.name, asset.uri, asset.group) == ("acme.orders", "dativo-iceberg://dativo/acme/orders", "acme")


def test_the_form_asks_for_a_range_with_a_date_picker_where_the_cursor_is_a_time():
    dag = build(sample_job(streams=(replace(STREAM, incremental=INCREMENTAL),)))
    assert set(dag.params) == {"full_refresh", "from", "to"}
    assert dag.params.get_param("full_refresh").schema["type"] == "boolean"
    assert dag.params.get_param("from").schema["format"] == "date-time"


def test_the_form_takes_any_text_where_the_cursor_is_a_number():
    stream = replace(STREAM, incremental=replace(INCREMENTAL, cursor_field="order_id"))
    assert "format" not in build(sample_job(streams=(stream,))).params.get_param("from").schema


def test_owner_and_documentation_come_from_the_contract():
    dag = build(sample_job())
    assert {task.owner for task in dag.tasks} == {"shop-data@example.com"}
    assert dag.owner_links == {"shop-data@example.com": "mailto:shop-data@example.com"}
    assert "Contract **orders** 1.2.0" in dag.doc_md


@requirement("SN-01")
def test_a_job_this_version_cannot_run_keeps_its_schedule_and_says_why():
    job = sample_job(
        name="zendesk_articles_to_markdown_kv",
        source=SourceSpec("zendesk"),
        schedule=ScheduleSpec(cron="0 * * * *"),
        unsupported=("connector 'zendesk' cannot be read by this version",),
    )
    dag = build(job)
    assert dag.timetable.expression == "0 * * * *"
    assert "dativo:unsupported" in dag.tags
    assert "connector 'zendesk' cannot be read" in dag.doc_md
    (task,) = dag.tasks
    with pytest.raises(Exception, match="connector 'zendesk' cannot be read"):
        task.execute({})


def test_an_invalid_job_is_visible_and_never_scheduled():
    dag = build_invalid("acme.orders", "acme", ["`orders.yaml:3:5` unknown key"], "orders.yaml:3:5: unknown key")
    assert dag.schedule is None
    assert set(dag.tags) == {"dativo", "dativo:invalid", "tenant:acme"}
    assert "orders.yaml:3:5" in dag.doc_md
    serialized(dag)


@requirement("REG-04", "ORC-01")
def test_as_many_schedules_run_as_many_jobs():
    jobs = [sample_job(name=f"job_{n}", schedule=ScheduleSpec(cron=f"{n} * * * *")) for n in range(20)]
    for n, dag in enumerate([build(job) for job in jobs]):
        assert dag.dag_id == f"acme.job_{n}"
        assert dag.timetable.expression == f"{n} * * * *"
        assert {task.job for task in dag.tasks if hasattr(task, "job")} == {f"job_{n}"}


@requirement("TEN-01")
def test_nothing_a_tenant_writes_is_rendered():
    evil = "{{ conn.globex_db.password }}"
    stream = replace(STREAM, name="x{{ 7*7 }}", object=evil, contract=replace(CONTRACT, description=evil, owner=evil))
    dag = build(sample_job(streams=(stream,), description=evil, source=SourceSpec("csv", {"path": evil})))
    for task in dag.tasks:
        for name in task.template_fields:
            assert "conn" not in str(getattr(task, name, task.partial_kwargs.get(name) if task.is_mapped else ""))
