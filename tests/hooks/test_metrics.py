from __future__ import annotations

from datetime import timedelta

from dativo_provider.hooks.metrics import AirflowMetrics


def test_metrics_go_to_airflow_under_one_prefix_with_their_tags(monkeypatch):
    from airflow.sdk.observability import stats

    seen = []
    for kind in ("incr", "gauge", "timing"):
        monkeypatch.setattr(stats, kind, lambda *args, kind=kind, tags=None: seen.append((kind, *args, tags)))
    metrics = AirflowMetrics()
    metrics.incr("rows_accepted", 42, {"tenant": "acme"})
    metrics.gauge("dativo.lag_seconds", 1.5)
    metrics.timing("publish_seconds", 0.25)
    assert seen == [
        ("incr", "dativo.rows_accepted", 42, {"tenant": "acme"}),
        ("gauge", "dativo.lag_seconds", 1.5, {}),
        ("timing", "dativo.publish_seconds", timedelta(seconds=0.25), {}),
    ]


def test_without_a_metrics_server_nothing_happens():
    AirflowMetrics().incr("rows_accepted")
