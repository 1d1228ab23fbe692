from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dag_factory.names import group_ids, owner, owner_links, tags
from dativo_provider.model.job import ScheduleSpec
from tests.operators.samples import CONTRACT, STREAM, sample_job
from tests.support import requirement


@requirement("SN-21", "ORC-06")
def test_tags_name_tenant_connector_and_job_and_the_schedules_own():
    job = sample_job(schedule=ScheduleSpec(cron="@daily", tags={"team": "finance"}))
    assert tags(job) == [
        "dativo", "domain:commerce", "job:orders", "source:csv", "target:iceberg", "team:finance", "tenant:acme",
    ]  # fmt: skip


def test_a_tag_is_never_longer_than_airflow_stores():
    job = sample_job(schedule=ScheduleSpec(tags={"note": "x" * 300}))
    assert max(map(len, tags(job))) == 100


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_every_stream_gets_a_group_of_its_own_that_airflow_accepts(names):
    from airflow.sdk.definitions._internal.node import validate_group_key

    ids = group_ids([replace(STREAM, name=name) for name in names])
    assert len(set(ids)) == len(names)
    for found in ids:
        validate_group_key(found)


def test_an_owner_that_is_an_address_can_be_written_to():
    assert owner_links(sample_job()) == {"shop-data@example.com": "mailto:shop-data@example.com"}


def test_an_owner_without_address_has_no_link():
    stream = replace(STREAM, contract=replace(CONTRACT, owner="Finance, Data"))
    assert owner(stream) == "Finance  Data"
    assert owner_links(sample_job(streams=(stream,))) == {}
    assert owner(replace(STREAM, contract=replace(CONTRACT, owner=""))) == "dativo"
