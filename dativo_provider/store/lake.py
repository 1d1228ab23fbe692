"""The store as immutable JSON files beside the warehouse: nothing to install, nothing to lock.

Writers only ever create files of their own name, so none can lose another's record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from dativo_provider.files import FileMissing, FileStore, join, parent
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord, dump, load
from dativo_provider.store.base import MetricPoint, QuarantineEntry, Store, StreamKey
from dativo_provider.store.events import (
    Event,
    Kind,
    metrics_event,
    quarantine_event,
    results_event,
    run_event,
)
from dativo_provider.store.layout import (
    UNFILED,
    EventFile,
    compacted_name,
    day_folder,
    event_name,
    parse,
    safe,
)
from dativo_provider.store.when import iso, moment, now
from dativo_provider.vocabulary import RunStatus

__all__ = ["Compacted", "LakeStore"]

_READERS = 8
_LOOKED_AT = 400  # runs that are searched for a metric only some of them left
_LISTINGS = 5  # a file may be compacted away between listing and reading
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Filed:
    """Where a plan's events lie."""

    stream: StreamKey
    day: str


@dataclass(frozen=True)
class Compacted:
    days: int
    files_removed: int


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LakeStore(Store):
    def __init__(self, files: FileStore, root: str, clock: Clock = _utc_now) -> None:
        self._files, self._root, self._clock = files, root.rstrip("/"), clock
        self._filed: dict[str, Filed] = {}
        self._texts: dict[str, bytes] = {}

    # Writing -----------------------------------------------------------------------------------------------

    def save_run(self, run: RunRecord, at: str) -> None:
        event = run_event(run, at)
        self._write(event)
        self._file(run.plan_id, Filed(event.stream, event.day))

    def save_results(self, plan_id: str, results: Sequence[CheckResult], at: str) -> None:
        filed = self._find(plan_id) or Filed(StreamKey(UNFILED, "", ""), at)
        self._write(results_event(filed.stream, filed.day, plan_id, results, at))

    def record_metrics(self, stream: StreamKey, plan_id: str, at: str, values: Mapping[str, float]) -> None:
        self._write(metrics_event(stream, plan_id, at, values, now()))

    def record_quarantine(self, entry: QuarantineEntry) -> None:
        self._write(quarantine_event(entry, now()))

    def _write(self, event: Event) -> None:
        folder = day_folder(self._root, event.stream.tenant, moment(event.day).date())
        self._files.write_new(join(folder, event_name(event)), dump(event))

    def _plan_uri(self, plan_id: str) -> str:
        return join(self._root, "plans", f"{safe(plan_id)}.json")

    def _file(self, plan_id: str, filed: Filed) -> None:
        if plan_id not in self._filed:
            self._files.write_new(self._plan_uri(plan_id), dump(filed))
            self._filed[plan_id] = filed

    def _find(self, plan_id: str) -> Filed | None:
        if plan_id not in self._filed:
            try:
                self._filed[plan_id] = load(Filed, self._files.read(self._plan_uri(plan_id)))
            except FileMissing:
                return None
        return self._filed[plan_id]

    # Reading -----------------------------------------------------------------------------------------------

    def get(self, plan_id: str) -> RunRecord | None:
        newest = max(self._of_plan("run", plan_id), key=_weight, default=None)
        return newest.run() if newest else None

    def results(self, plan_id: str) -> tuple[CheckResult, ...]:
        newest = max(self._of_plan("results", plan_id), key=lambda event: event.at, default=None)
        return newest.results() if newest else ()

    def runs(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = 20,
        since: str | None = None,
    ) -> list[RunRecord]:
        first = moment(since) if since else None
        found: list[RunRecord] = []
        for day, events in self._days("run", tenant, job, stream):
            if first and day < first.date().isoformat():
                break
            found += [
                run
                for run in map(Event.run, _newest(events, _weight))
                if (not status or run.status == status) and (not first or moment(run.started_at) >= first)
            ]
            if _enough(found, limit):
                break
        found.sort(key=lambda run: (moment(run.started_at), run.plan_id), reverse=True)
        return found[:limit]

    def history(
        self, stream: StreamKey, name: str, limit: int | None = 30, since: str | None = None
    ) -> list[MetricPoint]:
        first = moment(since) if since else None
        found: list[MetricPoint] = []
        seen: set[str] = set()
        for day, events in self._days("metrics", *stream):
            seen |= {event.plan_id for event in events}
            if first and day < first.date().isoformat():
                break
            named = [event for event in events if name in event.body and (not first or moment(event.day) >= first)]
            newest = _newest(named, lambda event: (False, event.at))
            found += [MetricPoint(event.day, event.body[name], event.plan_id) for event in newest]
            if _enough(found, limit) or (limit is not None and len(seen) >= max(_LOOKED_AT, 4 * limit)):
                break
        found.sort(key=lambda point: (moment(point.at), point.plan_id), reverse=True)
        return found[:limit]

    def metrics(self, stream: StreamKey, plan_id: str) -> Mapping[str, float]:
        events = self._of_plan("metrics", plan_id) or self._unfiled_metrics(stream, plan_id)
        events = sorted((event for event in events if event.stream == stream), key=lambda event: event.at)
        return {name: value for event in events for name, value in event.body.items()}

    def _unfiled_metrics(self, stream: StreamKey, plan_id: str) -> list[Event]:
        """Of something that is no run, so that nothing tells its day."""
        for _day, events in self._days("metrics", *stream):
            if found := [event for event in events if event.plan_id == plan_id]:
                return found
        return []

    def quarantine(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        expired_at: str | None = None,
        limit: int | None = 20,
    ) -> list[QuarantineEntry]:
        found: list[QuarantineEntry] = []
        for _day, events in self._days("quarantine", tenant, job, stream):
            newest = _newest(events, lambda event: (False, event.at))
            found += [entry for entry in map(Event.quarantine, newest) if _expired(entry, expired_at)]
            if _enough(found, limit):
                break
        found.sort(key=lambda entry: (moment(entry.at), entry.plan_id), reverse=True)
        return found[:limit]

    def _of_plan(self, kind: Kind, plan_id: str) -> list[Event]:
        filed = self._find(plan_id)
        places = [day_folder(self._root, filed.stream.tenant, moment(filed.day).date())] if filed else []
        if kind == "results":
            places.append(join(self._root, "events", UNFILED))
        files = [file for place in places for file in self._list(place)]
        events = self._read(files, lambda file: file.may_hold(kind, plan_id=plan_id))
        return [event for event in events if event.kind == kind and event.plan_id == plan_id]

    def _days(
        self, kind: Kind, tenant: str | None, job: str | None, stream: str | None
    ) -> Iterator[tuple[str, list[Event]]]:
        """Days with events of this kind, newest first, each read when it is asked for."""
        wanted = StreamKey(tenant or "", job or "", stream or "")
        for files in self._listings(tenant):
            files.sort(key=lambda file: file.day, reverse=True)
            for day, group in groupby(files, lambda file: file.day):
                events = self._read(list(group), lambda file: file.may_hold(kind, job, stream))
                yield day, [event for event in events if event.kind == kind and _matches(event.stream, wanted)]

    def _listings(self, tenant: str | None) -> Iterator[list[EventFile]]:
        """All files; of one tenant the two newest months first, which mostly are enough."""
        folder = join(self._root, "events", *([safe(tenant)] if tenant else []))
        today = self._clock().date()
        months = [f"{month:%Y-%m}" for month in (today, today.replace(day=1) - timedelta(days=1))] if tenant else []
        for month in months:
            yield self._list(join(folder, month))
        yield [file for file in self._list(folder) if file.day[:7] not in months]

    def _list(self, folder: str) -> list[EventFile]:
        return [file for info in self._files.list(folder) if (file := parse(info.uri))]

    def _read(self, files: Sequence[EventFile], wanted: Callable[[EventFile], bool]) -> list[Event]:
        folders = {parent(file.uri) for file in files}
        for _ in range(_LISTINGS):
            try:
                return self._read_all([file for file in files if wanted(file)])
            except FileMissing:  # compacted since the listing
                files = [file for folder in folders for file in self._list(folder)]
        return self._read_all([file for file in files if wanted(file)])

    def _read_all(self, files: Sequence[EventFile]) -> list[Event]:
        if not files:
            return []
        with ThreadPoolExecutor(min(_READERS, len(files))) as readers:
            texts = list(readers.map(self._text, files))
        return [load(Event, line) for text in texts for line in text.splitlines() if line]

    def _text(self, file: EventFile) -> bytes:
        """Files never change, and one audit asks for the history of many metrics."""
        if file.uri not in self._texts:
            self._texts[file.uri] = self._files.read(file.uri)
        return self._texts[file.uri]

    # Upkeep ------------------------------------------------------------------------------------------------

    def compact(self, before: date | None = None) -> Compacted:
        """Merge each tenant's finished days (those before `before`, today) into one file per day.

        A file is removed only after a file that holds its events was written, so compactors and writers may
        run at the same time.
        """
        today = before or self._clock().date()
        files = [file for file in self._list(join(self._root, "events")) if file.day < today.isoformat()]
        files.sort(key=lambda file: (file.tenant, file.day))
        removed = [self._merge(list(group)) for _, group in groupby(files, lambda file: (file.tenant, file.day))]
        return Compacted(sum(map(bool, removed)), sum(removed))

    def _merge(self, files: list[EventFile]) -> int:
        if len(files) < 2:
            return 0
        try:
            events = self._read_all(files)
        except FileMissing:  # another compactor is at this day
            return 0
        distinct = sorted({dump(event) for event in events}, key=lambda line: json.loads(line)["at"])
        self._files.write_new(join(parent(files[0].uri), compacted_name()), b"\n".join(distinct) + b"\n")
        for file in files:
            self._files.delete(file.uri)
        return len(files)


def _weight(event: Event) -> tuple[bool, str]:
    """Which of several records of one run is true: a published one, then the latest."""
    return event.body["status"] == "published", iso(moment(event.at))


def _newest(events: Sequence[Event], weight: Callable[[Event], tuple[bool, str]]) -> list[Event]:
    best: dict[str, Event] = {}
    for event in events:
        if event.plan_id not in best or weight(event) >= weight(best[event.plan_id]):
            best[event.plan_id] = event
    return list(best.values())


def _matches(stream: StreamKey, wanted: StreamKey) -> bool:
    return all(not name or name == found for name, found in zip(wanted, stream, strict=True))


def _enough(found: Sequence[object], limit: int | None) -> bool:
    return limit is not None and len(found) >= limit


def _expired(entry: QuarantineEntry, at: str | None) -> bool:
    return at is None or bool(entry.expires_at and moment(entry.expires_at) <= moment(at))
