"""One fact about a run as JSON: what the lake leaf keeps, and what waits while a store is unreachable."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord, dump, load
from dativo_provider.store.base import QuarantineEntry, Store, StreamKey

__all__ = ["Event", "Kind", "finite", "metrics_event", "quarantine_event", "results_event", "run_event"]

Kind = Literal["run", "results", "metrics", "quarantine"]


@dataclass(frozen=True)
class Event:
    """`at` is when the fact was noted, `day` (ISO) when what it tells about happened."""

    kind: Kind
    at: str
    plan_id: str
    stream: StreamKey
    day: str
    body: Any

    def run(self) -> RunRecord:
        return load(RunRecord, json.dumps(self.body))

    def results(self) -> tuple[CheckResult, ...]:
        return tuple(load(CheckResult, json.dumps(result)) for result in self.body)

    def quarantine(self) -> QuarantineEntry:
        return load(QuarantineEntry, json.dumps(self.body))

    def apply(self, store: Store) -> None:
        """Tell `store`. Repeating it changes nothing."""
        if self.kind == "run":
            store.save_run(self.run(), self.at)
        elif self.kind == "results":
            store.save_results(self.plan_id, self.results(), self.at)
        elif self.kind == "metrics":
            store.record_metrics(self.stream, self.plan_id, self.day, self.body)
        else:
            store.record_quarantine(self.quarantine())


def _plain(value: Any) -> Any:
    return json.loads(dump(value))


def run_event(run: RunRecord, at: str) -> Event:
    return Event("run", at, run.plan_id, StreamKey(run.tenant, run.job, run.stream), run.started_at, _plain(run))


def results_event(stream: StreamKey, day: str, plan_id: str, results: Sequence[CheckResult], at: str) -> Event:
    return Event("results", at, plan_id, stream, day, [_plain(result) for result in results])


def metrics_event(stream: StreamKey, plan_id: str, day: str, values: Mapping[str, float], at: str) -> Event:
    return Event("metrics", at, plan_id, stream, day, finite(values))


def quarantine_event(entry: QuarantineEntry, at: str) -> Event:
    return Event("quarantine", at, entry.plan_id, entry.stream, entry.at, _plain(entry))


def finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}
