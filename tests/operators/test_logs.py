from __future__ import annotations

import logging

import pytest
import structlog

from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings
from dativo_provider.operators.logs import task_log


@pytest.fixture
def ctx():
    return RunContext(Settings(home="/nowhere"), log=task_log(), labels={"tenant": "acme", "job": "orders"})


def test_labels_and_facts_become_fields_and_facts_come_first(ctx):
    with structlog.testing.capture_logs() as lines:
        ctx.event("commit_success", "committed: acme.orders", snapshot_id=7, level=logging.WARNING)
    (line,) = lines
    assert line["event"] == "committed: acme.orders"
    assert list(line)[:3] == ["snapshot_id", "event_type", "tenant_id"]
    assert (line["snapshot_id"], line["tenant_id"], line["job_name"]) == (7, "acme", "orders")
    assert line["log_level"] == "warning"


def test_a_fact_that_airflow_has_a_field_for_keeps_its_value_under_another_name(ctx):
    with structlog.testing.capture_logs() as lines:
        ctx.log.info("x", extra={"facts": {"timestamp": "then", "logger": "mine"}})
    assert (lines[0]["fact_timestamp"], lines[0]["fact_logger"]) == ("then", "mine")


def test_an_exception_is_kept(ctx):
    with structlog.testing.capture_logs() as lines:
        try:
            raise ValueError("surprise")
        except ValueError:
            ctx.log.warning("it failed", exc_info=True)
    assert lines[0]["exc_info"][0] is ValueError


def test_asking_twice_does_not_log_twice(ctx):
    task_log()
    with structlog.testing.capture_logs() as lines:
        ctx.log.info("once")
    assert len(lines) == 1
