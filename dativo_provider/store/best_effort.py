"""A store that never stops a run: what cannot be written now is written later."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from dativo_provider.errors import DativoError
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord
from dativo_provider.store.base import MetricPoint, QuarantineEntry, Store, StreamKey
from dativo_provider.store.events import Event, metrics_event, quarantine_event, results_event, run_event
from dativo_provider.store.spool import Spool
from dativo_provider.store.when import now
from dativo_provider.vocabulary import RunStatus

__all__ = ["BestEffort"]

_LOG = logging.getLogger("dativo.store")
_PAUSE_SECONDS = 60.0
_down: dict[str, float] = {}  # name of a store → when to try again; shared by every opening in this process


class BestEffort(Store):
    """Writes never raise: they wait in the spool and are delivered by `deliver`, or by the first write that
    succeeds after them. Reads raise, as there is nothing to give instead.

    A store that failed is left alone for a minute, so that a run does not wait for it at every step.
    """

    def __init__(self, opener: Callable[[], Store], spool: Spool, name: str) -> None:
        self._opener, self._spool, self._name = opener, spool, name
        self._store: Store | None = None

    # Writes ------------------------------------------------------------------------------------------------

    def save_run(self, run: RunRecord, at: str) -> None:
        self._write(run_event(run, at))

    def save_results(self, plan_id: str, results: Sequence[CheckResult], at: str) -> None:
        self._write(results_event(StreamKey("", "", ""), at, plan_id, results, at))

    def record_metrics(self, stream: StreamKey, plan_id: str, at: str, values: Mapping[str, float]) -> None:
        self._write(metrics_event(stream, plan_id, at, values, now()))

    def record_quarantine(self, entry: QuarantineEntry) -> None:
        self._write(quarantine_event(entry, now()))

    def _write(self, event: Event) -> None:
        if self._resting():
            self._later(event)
            return
        try:
            event.apply(self._opened())
            if self._name in _down:
                self.deliver()
        except Exception as problem:  # a record is never worth a run, whatever went wrong with it
            self._rest(problem)
            self._later(event)

    def _later(self, event: Event) -> None:
        if not self._spool.add(event):
            _LOG.warning(
                "the record of %s is lost to the metadata store; `dativo store rebuild` makes it again", event.plan_id
            )

    def _resting(self) -> bool:
        return _down.get(self._name, 0.0) > time.monotonic()

    def _rest(self, problem: Exception) -> None:
        if self._name not in _down:  # once per outage
            level = logging.WARNING if isinstance(problem, DativoError) else logging.ERROR
            _LOG.log(level, "the metadata store did not take a record, which will be delivered later: %s", problem)
        _down[self._name] = time.monotonic() + _PAUSE_SECONDS

    def deliver(self) -> int:
        """Delivers what waits; the number of records. Never raises."""
        if self._resting():
            return 0
        try:
            count = self._spool.deliver(self._opened())
        except Exception as problem:
            self._rest(problem)
            return 0
        if _down.pop(self._name, None) or count:
            _LOG.info("the metadata store is back; %s delayed records were delivered", count)
        return count

    # Reads -------------------------------------------------------------------------------------------------

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._opener()
        return self._store

    def get(self, plan_id: str) -> RunRecord | None:
        return self._opened().get(plan_id)

    def runs(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = 20,
        since: str | None = None,
    ) -> list[RunRecord]:
        return self._opened().runs(tenant, job, stream, status, limit, since)

    def results(self, plan_id: str) -> tuple[CheckResult, ...]:
        return self._opened().results(plan_id)

    def history(
        self, stream: StreamKey, name: str, limit: int | None = 30, since: str | None = None
    ) -> list[MetricPoint]:
        return self._opened().history(stream, name, limit, since)

    def metrics(self, stream: StreamKey, plan_id: str) -> Mapping[str, float]:
        return self._opened().metrics(stream, plan_id)

    def quarantine(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        expired_at: str | None = None,
        limit: int | None = 20,
    ) -> list[QuarantineEntry]:
        return self._opened().quarantine(tenant, job, stream, expired_at, limit)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
