from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dativo_provider.files import FileInfo, FileStore, file_uri, join, open_files
from dativo_provider.store import QuarantineEntry
from dativo_provider.store.lake import Compacted, LakeStore
from tests.conformance.stores import FAILED, ORDERS, PASSED, a_run, ago, finished, ids
from tests.support import requirement

TOMORROW = datetime.now(UTC).date() + timedelta(days=1)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return file_uri(tmp_path / "store")


class Watched:
    """The local files, counting; `on_read` runs before each read."""

    def __init__(self, root: str) -> None:
        self.files: FileStore = open_files(root)
        self.calls: Counter[str] = Counter()
        self.listed: list[str] = []
        self.on_read = lambda: None

    def read(self, uri: str) -> bytes:
        self.calls["read"] += 1
        self.on_read()
        return self.files.read(uri)

    def list(self, prefix: str) -> list[FileInfo]:
        self.calls["list"] += 1
        self.listed.append(prefix)
        return self.files.list(prefix)

    def write(self, uri: str, data: bytes) -> None:
        raise AssertionError("the lake leaf never replaces a file")

    def write_new(self, uri: str, data: bytes) -> bool:
        self.calls["write"] += 1
        return self.files.write_new(uri, data)

    def delete(self, uri: str) -> None:
        self.calls["delete"] += 1
        self.files.delete(uri)

    def exists(self, uri: str) -> bool:
        return self.files.exists(uri)


def fill(store: LakeStore, runs: int = 6) -> list[str]:
    made = [finished(a_run(days_ago=n / 2)) for n in range(runs)]
    for run in made:
        store.begin(run)
        store.record_results(run.plan_id, [PASSED, FAILED])
        store.record_metrics(ORDERS, run.plan_id, run.started_at, {"rows": 5})
        store.record_quarantine(QuarantineEntry(run.plan_id, ORDERS, "q", run.started_at, 1, {"c2": 1}))
        store.finish(run)
    return ids(made)


def snapshot(store: LakeStore) -> tuple[object, ...]:
    runs = store.runs(limit=None)
    results = [store.results(run.plan_id) for run in runs]
    return runs, results, store.history(ORDERS, "rows", None), store.quarantine(limit=None)


def event_files(root: str) -> list[str]:
    return [info.uri for info in open_files(root).list(join(root, "events"))]


def test_compaction_leaves_one_file_a_day_and_every_record(root: str) -> None:
    store = LakeStore(open_files(root), root)
    fill(store)
    before, files = snapshot(store), event_files(root)
    done = store.compact(TOMORROW)
    assert done.files_removed == len(files) == 36
    assert len(event_files(root)) == done.days
    assert snapshot(LakeStore(open_files(root), root)) == before
    assert store.compact(TOMORROW) == Compacted(0, 0)


def test_records_that_come_after_compaction_are_seen_and_compacted_too(root: str) -> None:
    store = LakeStore(open_files(root), root)
    run = a_run(days_ago=3)
    store.begin(run)
    store.record_results(run.plan_id, [FAILED])
    store.compact()
    store.finish(finished(run))
    store.record_results(run.plan_id, [PASSED])
    assert store.runs() == [finished(run)]
    assert store.results(run.plan_id) == (PASSED,)
    assert store.compact() == Compacted(1, 4)
    assert LakeStore(open_files(root), root).runs() == [finished(run)]
    assert store.results(run.plan_id) == (PASSED,)


def test_today_is_not_compacted(root: str) -> None:
    store = LakeStore(open_files(root), root)
    fill(store, 1)
    assert store.compact(date.fromisoformat(ago(0)[:10])) == Compacted(0, 0)


def test_compactors_and_writers_at_once_lose_nothing(root: str) -> None:
    written: list[str] = []

    def work(number: int) -> None:
        store = LakeStore(open_files(root), root)
        if number % 3 == 0:
            for _ in range(4):
                store.compact(TOMORROW)
        else:
            written.extend(fill(store, 3))

    with ThreadPoolExecutor(6) as workers:
        list(workers.map(work, range(12)))
    store = LakeStore(open_files(root), root)
    store.compact(TOMORROW)
    assert sorted(ids(store.runs(limit=None, status="published"))) == sorted(written)
    assert all(store.results(plan_id) == (PASSED, FAILED) for plan_id in written)
    assert len(store.history(ORDERS, "rows", None)) == len(written)


def test_a_reader_whose_files_are_compacted_away_lists_again(root: str) -> None:
    files = Watched(root)
    store = LakeStore(files, root)
    fill(store)
    before = snapshot(store)
    compactor = LakeStore(open_files(root), root)
    once = iter([True])
    files.on_read = lambda: compactor.compact(TOMORROW) if next(once, False) else None  # type: ignore[assignment, return-value]
    assert snapshot(store) == before


def test_two_compactors_of_one_day_do_not_undo_each_other(root: str) -> None:
    first = Watched(root)
    store = LakeStore(first, root)
    fill(store, 2)
    before = snapshot(LakeStore(open_files(root), root))
    rival = LakeStore(open_files(root), root)
    once = iter([True])
    first.on_read = lambda: rival.compact(TOMORROW) if next(once, False) else None  # type: ignore[assignment, return-value]
    store.compact(TOMORROW)
    assert snapshot(LakeStore(open_files(root), root)) == before


@requirement("TEN-01")
def test_a_tenants_runs_are_found_without_looking_at_others(root: str) -> None:
    files = Watched(root)
    store = LakeStore(files, root)
    for number in range(5):
        store.finish(a_run(ORDERS._replace(tenant=f"tenant{number}")))
        store.finish(a_run(ORDERS._replace(job=f"job{number}")))
    files.calls.clear()
    files.listed.clear()
    assert len(store.runs(tenant="acme", job="job3", limit=1)) == 1
    assert files.calls == {"list": 1, "read": 1}
    assert files.listed == [join(root, "events/acme", ago(0)[:7])]


def test_old_days_are_not_read_for_the_newest_runs(root: str) -> None:
    files = Watched(root)
    store = LakeStore(files, root)
    for day in range(25, 0, -1):
        store.finish(a_run(days_ago=day))
    files.calls.clear()
    assert len(store.runs(limit=3)) == 3
    assert files.calls == {"list": 1, "read": 3}
    files.calls.clear()
    assert len(store.runs(since=ago(2.01), limit=None)) == 2
    assert files.calls["read"] <= 3


def test_files_of_others_in_the_folder_are_not_ours(root: str) -> None:
    store = LakeStore(open_files(root), root)
    for name in ("events/acme/2026-11/20/note.txt", "events/x", "events/acme/2026-11/20/run~a~b.json", "README"):
        open_files(root).write(join(root, name), b"not json")
    assert store.runs() == []
    assert store.compact(TOMORROW) == Compacted(0, 0)


def test_a_run_costs_few_requests(root: str) -> None:
    files = Watched(root)
    store = LakeStore(files, root)
    run = a_run()
    store.begin(run)
    store.record_results(run.plan_id, [PASSED])
    store.finish(run)
    assert files.calls == {"write": 4}
