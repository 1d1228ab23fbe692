"""Names of our metrics, and two places they can go; the way into Airflow's own is `operators`' business."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from dativo_provider.model.books import Books
from dativo_provider.model.context import Metrics
from dativo_provider.vocabulary import EventType

__all__ = [
    "ACTIVE_JOBS", "API_REQUESTS", "BYTES_WRITTEN", "COST_BYTES", "JOB_DURATION", "METRICS", "RECORDS_EXTRACTED",
    "RECORDS_FAILED", "RECORDS_PROCESSED", "LoggingMetrics", "MemoryMetrics", "Metric", "run_ended", "timed",
]  # fmt: skip

JOB_DURATION = "dativo_job_duration_seconds"
RECORDS_EXTRACTED = "dativo_records_extracted_total"
RECORDS_PROCESSED = "dativo_records_processed_total"
RECORDS_FAILED = "dativo_records_failed_total"
BYTES_WRITTEN = "dativo_bytes_written_total"
API_REQUESTS = "dativo_api_requests_total"
ACTIVE_JOBS = "dativo_active_jobs"
COST_BYTES = "dativo_cost_attribution_bytes"


@dataclass(frozen=True)
class Metric:
    name: str
    kind: Literal["counter", "gauge", "timing"]
    tags: tuple[str, ...]
    meaning: str


METRICS = (
    Metric(JOB_DURATION, "timing", ("tenant_id", "connector_type", "job_name"), "seconds one stream's run took"),
    Metric(
        RECORDS_EXTRACTED,
        "counter",
        ("tenant_id", "connector_type", "object_name"),
        "rows a reader gave, rejected ones included",
    ),
    Metric(RECORDS_PROCESSED, "counter", ("tenant_id", "connector_type", "object_name"), "rows accepted"),
    Metric(
        RECORDS_FAILED,
        "counter",
        ("tenant_id", "connector_type", "object_name", "error_type"),
        "rows quarantined or rejected, or a run that failed",
    ),
    Metric(BYTES_WRITTEN, "counter", ("tenant_id", "storage_type"), "bytes of staged Parquet files"),
    Metric(API_REQUESTS, "counter", ("connector_type", "status_code"), "requests a reader made"),
    Metric(ACTIVE_JOBS, "gauge", ("tenant_id",), "jobs running now"),
    Metric(COST_BYTES, "gauge", ("tenant_id", "job_name"), "bytes attributed to a job for cost reports"),
)


class LoggingMetrics:
    """Each value as a structured log line, at debug level: for a process without a metrics system."""

    def __init__(self, log: logging.Logger | None = None, level: int = logging.DEBUG) -> None:
        self._log, self._level = log or logging.getLogger("dativo.metrics"), level

    def incr(self, name: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None:
        self._write("counter", name, value, tags)

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        self._write("gauge", name, value, tags)

    def timing(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None:
        self._write("timing", name, seconds, tags)

    def _write(self, kind: str, name: str, value: float, tags: Mapping[str, str] | None) -> None:
        event: EventType = "metrics_complete"
        facts = {"metric": name, "kind": kind, "value": value, **(tags or {})}
        self._log.log(self._level, "%s %s", name, value, extra={"event_type": event, "facts": facts})


Key = tuple[str, tuple[tuple[str, str], ...]]


def _key(name: str, tags: Mapping[str, str] | None) -> Key:
    return name, tuple(sorted((tags or {}).items()))


@dataclass
class MemoryMetrics:
    """Keeps everything, for tests and for the summary of `dativo run`."""

    counters: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    gauges: dict[Key, float] = field(default_factory=dict)
    timings: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))

    def incr(self, name: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None:
        self.counters[_key(name, tags)] += value

    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        self.gauges[_key(name, tags)] = value

    def timing(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None:
        self.timings[_key(name, tags)].append(seconds)

    def total(self, name: str, **tags: str) -> float:
        """Sum of the counter `name` over every set of tags that contains `tags`."""
        wanted = set(tags.items())
        return sum(value for (known, have), value in self.counters.items() if known == name and wanted <= set(have))


def run_ended(
    metrics: Metrics,
    labels: Mapping[str, str],
    books: Books,
    seconds: float,
    *,
    written: int = 0,
    storage: str = "",
    error: str = "",
) -> None:
    """What every run of a stream counts. `labels` are a `RunContext`'s; `error` is the code it failed with."""
    tenant, connector = labels.get("tenant", ""), labels.get("connector", "")
    tags = {"tenant_id": tenant, "connector_type": connector}
    rows = {**tags, "object_name": labels.get("stream", "")}
    metrics.timing(JOB_DURATION, seconds, {**tags, "job_name": labels.get("job", "")})
    metrics.incr(RECORDS_PROCESSED, books.accepted, rows)
    for kind, count in (("quarantined", books.quarantined), ("rejected", books.rejected), (error, bool(error))):
        if count:
            metrics.incr(RECORDS_FAILED, int(count), {**rows, "error_type": kind})
    if written:
        metrics.incr(BYTES_WRITTEN, written, {"tenant_id": tenant, "storage_type": storage})


@contextmanager
def timed(metrics: Metrics, name: str, tags: Mapping[str, str] | None = None) -> Iterator[None]:
    """The block's duration, whether it succeeds or fails."""
    started = time.monotonic()
    try:
        yield
    finally:
        metrics.timing(name, time.monotonic() - started, tags)
