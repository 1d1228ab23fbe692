"""One behaviour for every metadata store. Inherit, and give `connect`: a function that opens the same, empty store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, Verdict
from dativo_provider.model.run import RunRecord
from dativo_provider.model.stream import Cursor, Window
from dativo_provider.store import MetricPoint, QuarantineEntry, Store, StreamKey, import_records
from tests.support import requirement

Connect = Callable[[], Store]
ORDERS = StreamKey("acme", "shop", "orders")
_numbers = count(1)
NOW = datetime.now(UTC).replace(microsecond=0)

PASSED = CheckResult("c1", "id is set", "passed", "stream", evaluated=10)
FAILED = CheckResult("c2", "ordnung ist 💡", "failed", "scan", "warning", "warn", 10, 3, {"max": 2**60}, "3 rows")


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def a_run(key: StreamKey = ORDERS, days_ago: float = 0, **changes: object) -> RunRecord:
    plan_id = f"{NOW - timedelta(days=days_ago):%Y%m%dT%H%M%S}-{next(_numbers):08x}"
    run = RunRecord(plan_id, f"run {plan_id}", *key, status="running", started_at=ago(days_ago))
    return replace(run, **changes)  # type: ignore[arg-type]


def finished(run: RunRecord) -> RunRecord:
    return replace(
        run,
        status="published",
        finished_at=ago(-1 / 24),
        table="acme.orders",
        snapshot_id=2**62 + 1,
        window=Window("incremental", "updated_at", "timestamptz", "2026-01-01", cursor=Cursor({"value": "x"})),
        books=Books(10, 7, 3, reasons={"c2": 3}, produced=7),
        verdict=Verdict("warn", (PASSED, FAILED), ("3 rows",)),
        contract_version="1.2.0",
        error={"message": "ünïcode"},
        folder="file:///runs/x",
    )


def ids(runs: list[RunRecord]) -> list[str]:
    return [run.plan_id for run in runs]


class StoreSuite:
    @pytest.fixture
    def store(self, connect: Connect) -> Iterator[Store]:
        with connect() as opened:
            yield opened

    def test_a_run_is_seen_from_its_beginning_and_comes_back_whole(self, store: Store, connect: Connect) -> None:
        run = a_run()
        store.begin(run)
        assert store.get(run.plan_id) == run
        store.finish(finished(run))
        with connect() as other:
            assert other.get(run.plan_id) == finished(run)
            assert other.runs() == [finished(run)]

    def test_what_is_not_there_is_empty(self, store: Store) -> None:
        assert store.get("nothing") is None
        assert store.runs() == []
        assert store.results("nothing") == ()
        assert store.history(ORDERS, "rows") == []
        assert store.quarantine() == []

    def test_runs_come_newest_first_and_can_be_narrowed(self, store: Store) -> None:
        items, globex = ORDERS._replace(stream="items"), StreamKey("globex", "shop", "orders")
        old, day, new = a_run(days_ago=95), a_run(items, 1, status="failed"), a_run(days_ago=0.5)
        other = a_run(globex, 2)
        for run in (day, old, new, other):
            store.begin(run)
        assert ids(store.runs()) == ids([new, day, other, old])
        assert ids(store.runs(tenant="acme")) == ids([new, day, old])
        assert ids(store.runs(job="shop", stream="orders")) == ids([new, other, old])
        assert ids(store.runs(tenant="acme", status="failed")) == ids([day])
        assert ids(store.runs(tenant="acme", limit=2)) == ids([new, day])
        assert ids(store.runs(limit=1)) == ids([new])
        assert ids(store.runs(tenant="acme", since=day.started_at)) == ids([new, day])
        assert ids(store.runs(tenant="nobody")) == []

    def test_starts_in_several_time_zones_are_sorted_as_instants(self, store: Store) -> None:
        first = a_run(started_at="2026-11-20T12:30:00+02:00")
        second = a_run(started_at="2026-11-20T11:00:00Z")
        third = a_run(started_at="2026-11-20T11:30:00")
        for run in (third, first, second):
            store.begin(run)
        assert ids(store.runs()) == ids([third, second, first])
        assert ids(store.runs(since="2026-11-20T13:00:00+02:00")) == ids([third, second])

    def test_limits_are_kept_and_none_means_all(self, store: Store) -> None:
        runs = [a_run(days_ago=n / 100) for n in range(25)]
        for run in runs:
            store.begin(run)
        assert len(store.runs()) == 20
        assert ids(store.runs(limit=None)) == ids(runs)

    @requirement("ING-25")
    def test_a_published_run_is_not_undone_by_a_late_twin(self, store: Store) -> None:
        run = a_run()
        store.begin(run)
        store.finish(finished(run))
        store.finish(replace(run, status="failed"))
        store.begin(run)
        found = store.get(run.plan_id)
        assert found is not None
        assert found.status == "published"
        assert ids(store.runs(status="failed")) == []

    def test_a_failed_run_that_was_retried_shows_its_last_end(self, store: Store) -> None:
        run = a_run()
        store.finish(replace(run, status="failed"))
        store.finish(replace(run, status="blocked"))
        assert [run.status for run in store.runs()] == ["blocked"]

    def test_a_fact_that_comes_late_does_not_replace_a_newer_one(self, store: Store) -> None:
        run = a_run()
        store.save_run(replace(run, status="failed"), ago(1))
        store.save_run(run, ago(2))
        assert [run.status for run in store.runs()] == ["failed"]
        store.save_run(finished(run), ago(3))
        assert [run.status for run in store.runs()] == ["published"]

    def test_results_are_kept_in_order_and_replaced_by_a_later_audit(self, store: Store, connect: Connect) -> None:
        run = a_run()
        store.begin(run)
        store.record_results(run.plan_id, [FAILED, PASSED])
        assert store.results(run.plan_id) == (FAILED, PASSED)
        with connect() as other:
            other.record_results(run.plan_id, [PASSED])
        assert store.results(run.plan_id) == (PASSED,)
        store.save_results(run.plan_id, [FAILED], ago(1))
        assert store.results(run.plan_id) == (PASSED,)
        store.record_results(run.plan_id, [])
        assert store.results(run.plan_id) == ()

    def test_results_that_come_before_their_run_are_not_lost(self, store: Store, connect: Connect) -> None:
        run = a_run()
        store.record_results(run.plan_id, [PASSED])
        store.begin(run)
        assert store.results(run.plan_id) == (PASSED,)
        with connect() as other:
            assert other.results(run.plan_id) == (PASSED,)

    def test_history_is_of_one_stream_and_newest_first(self, store: Store) -> None:
        for day in (40, 3, 2, 1):
            store.record_metrics(ORDERS, f"p{day}", ago(day), {"rows": day, "nulls": 0.5})
        store.record_metrics(ORDERS._replace(tenant="globex"), "p0", ago(0), {"rows": 99})
        store.record_metrics(ORDERS._replace(stream="items"), "p0", ago(0), {"rows": 99})
        found = store.history(ORDERS, "rows")
        assert [(point.plan_id, point.value) for point in found] == [("p1", 1), ("p2", 2), ("p3", 3), ("p40", 40)]
        assert datetime.fromisoformat(found[0].at) == datetime.fromisoformat(ago(1))
        assert [point.plan_id for point in store.history(ORDERS, "rows", limit=2)] == ["p1", "p2"]
        assert len(store.history(ORDERS, "nulls", limit=None)) == 4
        assert store.history(ORDERS, "absent") == []

    def test_history_can_begin_at_a_moment(self, store: Store) -> None:
        for day in (40, 3, 2, 1):
            store.record_metrics(ORDERS, f"p{day}", ago(day), {"rows": day})
        assert [point.value for point in store.history(ORDERS, "rows", limit=None, since=ago(2))] == [1, 2]
        assert [point.value for point in store.history(ORDERS, "rows", limit=None, since=ago(2.5))] == [1, 2]
        assert store.history(ORDERS, "rows", since=ago(0)) == []

    def test_the_metrics_of_one_run_come_together_the_later_value_of_a_name_first(self, store: Store) -> None:
        run = finished(a_run())
        store.finish(run)
        store.record_metrics(ORDERS, run.plan_id, run.started_at, {"notices": 1, "notice:c": 5})
        store.record_metrics(ORDERS, run.plan_id, run.started_at, {"notices": 0})
        found = store.metrics(ORDERS, run.plan_id)
        assert (found["notices"], found["notice:c"], found["rows_accepted"]) == (0, 5, 7)
        assert store.metrics(ORDERS._replace(stream="items"), run.plan_id) == {}
        store.record_metrics(ORDERS, "no-run", ago(3), {"notices": 2})
        assert store.metrics(ORDERS, "no-run") == {"notices": 2}
        assert store.metrics(ORDERS, "nothing") == {}

    def test_a_metric_said_twice_counts_once(self, store: Store) -> None:
        store.record_metrics(ORDERS, "p1", ago(1), {"rows": 1})
        store.record_metrics(ORDERS, "p1", ago(1), {"rows": 2, "bytes": 5})
        assert [point.value for point in store.history(ORDERS, "rows")] == [2]
        assert [point.value for point in store.history(ORDERS, "bytes")] == [5]

    def test_the_counts_of_published_runs_become_history(self, store: Store) -> None:
        published, failed = finished(a_run(days_ago=1)), a_run(status="failed", books=Books(5))
        store.finish(published)
        store.finish(failed)
        assert [(point.plan_id, point.value) for point in store.history(ORDERS, "rows_accepted")] == [
            (published.plan_id, 7)
        ]

    def test_numbers_that_are_no_measurement_are_left_out(self, store: Store) -> None:
        store.record_metrics(ORDERS, "p1", ago(1), {"a": float("nan"), "b": float("inf"), "c": -0.0})
        assert store.history(ORDERS, "a") == store.history(ORDERS, "b") == []
        assert [type(point) for point in store.history(ORDERS, "c")] == [MetricPoint]

    def test_the_quarantine_index_knows_counts_reasons_and_expiry(self, store: Store) -> None:
        old = QuarantineEntry("p1", ORDERS, "acme.orders__quarantine", ago(40), 3, {"c2": 3}, ago(10))
        new = QuarantineEntry("p2", ORDERS._replace(stream="items"), "acme.items__quarantine", ago(1), 1, {}, ago(-29))
        kept = QuarantineEntry("p3", ORDERS._replace(tenant="globex"), "globex.q", ago(2), 1)
        for entry in (old, new, kept, old):
            store.record_quarantine(entry)
        found = store.quarantine()
        assert [entry.plan_id for entry in found] == ["p2", "p3", "p1"]
        assert (found[2].rows, found[2].reasons, found[2].table) == (3, {"c2": 3}, "acme.orders__quarantine")
        assert found[2].stream == ORDERS
        assert [entry.plan_id for entry in store.quarantine(tenant="acme")] == ["p2", "p1"]
        assert [entry.plan_id for entry in store.quarantine(job="shop", stream="orders", limit=1)] == ["p3"]
        assert [entry.plan_id for entry in store.quarantine(expired_at=ago(0))] == ["p1"]

    @pytest.mark.parametrize(
        "hostile", ["../../globex/x", "a/b", "", ".", "%2e%2e", "x" * 180, "Größe ~ 'q' \";--", "a\nb"]
    )
    def test_names_mean_nothing_to_the_store(self, store: Store, hostile: str) -> None:
        key = StreamKey("acme", hostile or "j", hostile)
        run = a_run(key, run_id=hostile)
        run = replace(run, plan_id=f"{run.plan_id}-{hostile}")
        store.begin(run)
        store.record_results(run.plan_id, [PASSED])
        store.record_metrics(key, run.plan_id, ago(0), {hostile: 1})
        assert store.get(run.plan_id) == run
        assert ids(store.runs(tenant="acme", job=key.job)) == [run.plan_id]
        assert store.results(run.plan_id) == (PASSED,)
        assert len(store.history(key, hostile)) == 1
        assert store.runs(tenant="globex") == []

    def test_concurrent_writers_lose_nothing(self, connect: Connect) -> None:
        runs = [a_run(days_ago=n / 1000) for n in range(20)]

        def write(run: RunRecord) -> None:
            with connect() as mine:
                mine.begin(run)
                mine.record_results(run.plan_id, [PASSED])
                mine.finish(finished(run))

        with ThreadPoolExecutor(8) as writers:
            list(writers.map(write, runs))
        with connect() as store:
            assert ids(store.runs(limit=None, status="published")) == ids(runs)
            assert all(store.results(run.plan_id) == (PASSED,) for run in runs[::10])

    def test_writers_of_one_run_leave_one_run(self, connect: Connect) -> None:
        run = a_run()

        def write(number: int) -> None:
            with connect() as mine:
                mine.finish(finished(run) if number == 3 else replace(run, status="failed"))
                mine.record_results(run.plan_id, [PASSED, FAILED])

        with ThreadPoolExecutor(8) as writers:
            list(writers.map(write, range(8)))
        with connect() as store:
            assert [run.status for run in store.runs()] == ["published"]
            assert store.results(run.plan_id) == (PASSED, FAILED)

    def test_a_store_is_made_again_from_records(self, store: Store, connect: Connect) -> None:
        runs = [finished(a_run(days_ago=n)) for n in range(3)]
        entry = QuarantineEntry(runs[0].plan_id, ORDERS, "q", ago(0), 3)
        for _ in range(2):
            done = import_records(store, iter(runs), [entry])
        assert (done.runs, done.results, done.quarantined) == (3, 6, 1)
        with connect() as other:
            assert other.runs() == runs
            assert other.results(runs[1].plan_id) == (PASSED, FAILED)
            assert [point.value for point in other.history(ORDERS, "rows_accepted")] == [7, 7, 7]
            assert len(other.quarantine()) == 1

    def test_a_replay_is_no_delivery_for_a_rebuilt_history_either(self, store: Store) -> None:
        import_records(store, [finished(a_run(lane="replay"))])
        assert [run.lane for run in store.runs()] == ["replay"]
        assert store.history(ORDERS, "rows_accepted") == []

    def test_what_a_run_said_itself_is_not_replaced_by_a_rebuild(self, store: Store) -> None:
        run = a_run(finished_at=ago(0), status="failed", error={"message": "by the run"})
        store.finish(run)
        import_records(store, [replace(run, error={})])
        assert store.runs() == [run]

    def test_closing_twice_is_harmless(self, connect: Connect) -> None:
        opened = connect()
        opened.close()
        opened.close()
