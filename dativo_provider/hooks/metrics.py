"""Counters and gauges to whatever Airflow is told to send metrics to (StatsD, OpenTelemetry)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

__all__ = ["AirflowMetrics"]


class AirflowMetrics:
    """Names get the prefix `dativo.`; a metrics server that is away never disturbs a run."""

    def incr(self, name: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None:
        from airflow.sdk.observability import stats

        stats.incr(_full(name), int(value), tags=dict(tags or {}))

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        from airflow.sdk.observability import stats

        stats.gauge(_full(name), value, tags=dict(tags or {}))

    def timing(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None:
        from airflow.sdk.observability import stats

        stats.timing(_full(name), timedelta(seconds=seconds), tags=dict(tags or {}))


def _full(name: str) -> str:
    return name if name.startswith("dativo.") else f"dativo.{name.removeprefix('dativo_')}"
