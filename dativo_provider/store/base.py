"""The interface of the metadata store and the small nouns it adds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord, data_time
from dativo_provider.store.when import now
from dativo_provider.vocabulary import RunStatus

__all__ = ["MetricPoint", "QuarantineEntry", "Store", "StreamKey", "row_counts"]


class StreamKey(NamedTuple):
    tenant: str
    job: str
    stream: str


@dataclass(frozen=True)
class MetricPoint:
    at: str
    value: float
    plan_id: str


@dataclass(frozen=True)
class QuarantineEntry:
    """How many rows one run put into which quarantine table, why, and until when they are kept."""

    plan_id: str
    stream: StreamKey
    table: str
    at: str
    rows: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    expires_at: str = ""


def row_counts(books: Books) -> dict[str, float]:
    """The books as metrics, for history."""
    names = ("extracted", "accepted", "quarantined", "rejected", "duplicates", "filtered", "produced")
    return {f"rows_{name}": getattr(books, name) for name in names}


class Store(ABC):
    """What ran and how it went. Every write may be repeated and may come late: `at` (ISO, when the fact was
    noted) decides which of two wins, and a published run is never overwritten by anything else.

    All methods raise `StorageUnavailable`, `CredentialError` or `ConfigurationError`.
    """

    def begin(self, run: RunRecord) -> None:
        self.save_run(run, now())

    def finish(self, run: RunRecord) -> None:
        """The counts of an accepted run, an empty one too, also become history (`rows_accepted`, …); those of a
        replay do not: a few corrected rows are no delivery."""
        self.save_run(run, now())
        if run.status in ("published", "nothing_new") and run.lane != "replay":
            key = StreamKey(run.tenant, run.job, run.stream)
            self.record_metrics(key, run.plan_id, data_time(run.window, run.started_at), row_counts(run.books))

    def record_results(self, plan_id: str, results: Sequence[CheckResult]) -> None:
        """Replaces the results of this plan."""
        self.save_results(plan_id, results, now())

    @abstractmethod
    def save_run(self, run: RunRecord, at: str) -> None: ...

    @abstractmethod
    def save_results(self, plan_id: str, results: Sequence[CheckResult], at: str) -> None: ...

    @abstractmethod
    def record_metrics(self, stream: StreamKey, plan_id: str, at: str, values: Mapping[str, float]) -> None:
        """Numbers of one run, for history. What is not finite is left out."""

    @abstractmethod
    def record_quarantine(self, entry: QuarantineEntry) -> None: ...

    @abstractmethod
    def get(self, plan_id: str) -> RunRecord | None: ...

    @abstractmethod
    def runs(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = 20,
        since: str | None = None,
    ) -> list[RunRecord]:
        """Newest start first. `since` is ISO and inclusive; `limit` None means all."""

    @abstractmethod
    def results(self, plan_id: str) -> tuple[CheckResult, ...]: ...

    @abstractmethod
    def history(
        self, stream: StreamKey, name: str, limit: int | None = 30, since: str | None = None
    ) -> list[MetricPoint]:
        """One metric of one stream, newest first. `since` is ISO and inclusive."""

    @abstractmethod
    def metrics(self, stream: StreamKey, plan_id: str) -> Mapping[str, float]:
        """Every metric of one run, by name."""

    @abstractmethod
    def quarantine(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        expired_at: str | None = None,
        limit: int | None = 20,
    ) -> list[QuarantineEntry]:
        """Newest first; with `expired_at` those that should be gone by then."""

    def close(self) -> None:  # noqa: B027 - most leaves hold nothing between calls
        """Release connections. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
