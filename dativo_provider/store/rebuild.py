"""A store made again from what runs left beside their tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dativo_provider.model.run import RunRecord, data_time
from dativo_provider.store.base import QuarantineEntry, Store, StreamKey, row_counts

__all__ = ["Rebuilt", "import_records"]


@dataclass(frozen=True)
class Rebuilt:
    runs: int = 0
    results: int = 0
    quarantined: int = 0


def import_records(store: Store, records: Iterable[RunRecord], quarantine: Iterable[QuarantineEntry] = ()) -> Rebuilt:
    """Adds what `store` does not have yet; what it has is left as it is or completed. May be repeated.

    The caller finds the records: in the folders of runs, in state and snapshot summaries of tables, or in
    another store (`other.runs(limit=None)`).
    """
    runs = results = entries = 0
    for record in records:
        at = record.finished_at or record.started_at  # older than anything the run itself may still report
        store.save_run(replace(record, numbers={}), at)
        runs += 1
        if record.verdict is not None and record.verdict.results:
            store.save_results(record.plan_id, record.verdict.results, at)
            results += len(record.verdict.results)
        if numbers := _history(record):
            key = StreamKey(record.tenant, record.job, record.stream)
            store.record_metrics(key, record.plan_id, data_time(record.window, record.started_at), numbers)
    for entry in quarantine:
        store.record_quarantine(entry)
        entries += 1
    return Rebuilt(runs, results, entries)


def _history(record: RunRecord) -> dict[str, float]:
    """As the run itself left it: a replay none, a blocked run its score."""
    if record.lane == "replay":
        return {}
    counts = row_counts(record.books) if record.status in ("published", "nothing_new") else {}
    return {**counts, **record.numbers}
