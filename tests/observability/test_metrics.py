from __future__ import annotations

import logging

import pytest

from dativo_provider.model.books import Books
from dativo_provider.model.context import Metrics
from dativo_provider.observability import LoggingMetrics, MemoryMetrics
from dativo_provider.observability.metrics import (
    BYTES_WRITTEN,
    JOB_DURATION,
    METRICS,
    RECORDS_FAILED,
    RECORDS_PROCESSED,
    run_ended,
    timed,
)
from tests.support import requirement


@requirement("OBS-01")
def test_memory_keeps_counters_gauges_and_timings_by_tag() -> None:
    metrics = MemoryMetrics()
    metrics.incr("rows", 5, {"tenant": "acme", "stream": "a"})
    metrics.incr("rows", 2, {"stream": "b", "tenant": "acme"})
    metrics.incr("rows")
    metrics.gauge("jobs", 3)
    assert metrics.total("rows") == 8
    assert metrics.total("rows", tenant="acme") == 7
    assert metrics.total("rows", stream="b") == 2
    assert list(metrics.gauges.values()) == [3]


@requirement("OBS-01")
def test_a_block_is_timed_when_it_fails_too() -> None:
    metrics = MemoryMetrics()
    with pytest.raises(ValueError), timed(metrics, JOB_DURATION, {"job_name": "orders"}):
        raise ValueError
    ((seconds,),) = metrics.timings.values()
    assert seconds >= 0


@requirement("OBS-01")
def test_the_end_of_a_run_is_counted_under_the_known_names() -> None:
    metrics = MemoryMetrics()
    labels = {"tenant": "acme", "job": "shop", "connector": "csv", "stream": "orders"}
    run_ended(metrics, labels, Books(10, 6, 3, 1), 2.5, written=100, storage="s3")
    run_ended(metrics, labels, Books(), 0.5, error="CONNECTION_FAILED")
    assert metrics.total(RECORDS_PROCESSED, tenant_id="acme", object_name="orders") == 6
    assert metrics.total(RECORDS_FAILED, error_type="quarantined") == 3
    assert metrics.total(RECORDS_FAILED, error_type="rejected") == 1
    assert metrics.total(RECORDS_FAILED, error_type="CONNECTION_FAILED") == 1
    assert metrics.total(BYTES_WRITTEN, storage_type="s3") == 100
    assert list(metrics.timings.values()) == [[2.5, 0.5]]
    known = {metric.name: set(metric.tags) for metric in METRICS}
    assert all({tag for tag, _ in tags} == known[name] for name, tags in (*metrics.counters, *metrics.timings))


def test_logged_metrics_are_structured(caplog: pytest.LogCaptureFixture) -> None:
    metrics: Metrics = LoggingMetrics(level=logging.INFO)
    with caplog.at_level(logging.INFO, "dativo.metrics"):
        metrics.incr(RECORDS_PROCESSED, 5, {"tenant_id": "acme"})
        metrics.gauge("g", 1)
        metrics.timing("t", 0.5)
    assert [record.__dict__["facts"]["kind"] for record in caplog.records] == ["counter", "gauge", "timing"]
    assert caplog.records[0].__dict__["facts"] == {
        "metric": RECORDS_PROCESSED, "kind": "counter", "value": 5, "tenant_id": "acme",
    }  # fmt: skip


@requirement("OBS-01")
def test_every_metric_is_described_once() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names)) == len(METRICS)
    assert all(name.startswith("dativo_") for name in names)
