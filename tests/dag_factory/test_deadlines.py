"""Runs that are late: the DAG's deadline, and whom it tells."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from airflow.sdk import AsyncCallback
from airflow.serialization.serialized_objects import DagSerialization

from dag_factory.build import build
from dag_factory.options import FactoryOptions
from dativo_provider.errors import RetryableError
from dativo_provider.model.job import ScheduleSpec
from dativo_provider.model.notices import ChannelSpec, NotificationSpec
from dativo_provider.model.sla import SlaSpec
from dativo_provider.operators.deadline import missed
from tests.notify.servers import http_inbox
from tests.operators.samples import sample_job
from tests.support import requirement

TOLD = NotificationSpec((ChannelSpec("ops", "slack", url="${SECRET:HOOK}"),))
HOURLY = ScheduleSpec(cron="0 * * * *")
PROMISED = {"sla": SlaSpec(max_age_hours=2), "notification": TOLD, "schedule": HOURLY}


@requirement("DQ-02")
def test_a_promise_of_freshness_gives_scheduled_runs_a_deadline():
    dag = build(sample_job(**PROMISED))
    (alert,) = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert alert.interval == timedelta(hours=2)
    assert isinstance(alert.callback, AsyncCallback)
    stored = json.dumps(DagSerialization.to_dict(dag), sort_keys=True, default=str)
    assert "dativo_provider.operators.deadline.missed" in stored
    assert "${SECRET:HOOK}" in stored


@requirement("DQ-02")
@pytest.mark.parametrize(
    "change", [{"sla": SlaSpec()}, {"notification": NotificationSpec()}, {"schedule": ScheduleSpec()}]
)
def test_without_promise_schedule_or_anybody_to_tell_there_is_none(change):
    assert not build(sample_job(**{**PROMISED, **change})).deadline


@requirement("DQ-02", "DQ-13")
def test_a_missed_deadline_is_told_with_what_airflow_stored(monkeypatch):
    with http_inbox() as inbox:
        monkeypatch.setenv("ACME_HOOK", inbox.url)
        channel = ChannelSpec("ops", "slack", url="${ACME_HOOK}")
        job = sample_job(**{**PROMISED, "notification": NotificationSpec((channel,)), "allowed_variables": ("ACME_*",)})
        alert = build(job).deadline
        (alert,) = alert if isinstance(alert, list) else [alert]
        arguments = json.loads(json.dumps(alert.callback.kwargs))
        assert (
            asyncio.run(missed(**arguments, context={"dag_run": {"dag_run_id": "scheduled__1"}, "deadline": {}})) == 1
        )
        assert "a run is late" in inbox.received[0].json["text"]
        assert "scheduled__1" in str(inbox.received[0].json["blocks"])


@requirement("DQ-02", "DQ-13")
def test_a_missed_deadline_finds_secrets_where_runner_yaml_says_and_fails_when_nobody_hears(tmp_path):
    (tmp_path / "secrets" / "acme").mkdir(parents=True)
    kept = f"{{provider: filesystem, filesystem: {{secrets_dir: {tmp_path / 'secrets'}}}}}"
    (tmp_path / "runner.yaml").write_text(f"runner: {{secrets: {kept}}}\n")
    job = sample_job(**PROMISED)
    alert = build(job, FactoryOptions(root=str(tmp_path))).deadline
    (alert,) = alert if isinstance(alert, list) else [alert]
    arguments = json.loads(json.dumps(alert.callback.kwargs))
    with http_inbox() as inbox:
        with pytest.raises(RetryableError, match="nobody could be told"):
            asyncio.run(missed(**arguments, context={}))
        (tmp_path / "secrets" / "acme" / "hook").write_text(inbox.url)
        assert asyncio.run(missed(**arguments, context={})) == 1
        assert len(inbox.received) == 1
