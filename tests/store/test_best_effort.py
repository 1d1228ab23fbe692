from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dativo_provider.errors import StorageUnavailable
from dativo_provider.files import file_uri, join, open_files
from dativo_provider.model.settings import StoreSettings
from dativo_provider.store import BestEffort, QuarantineEntry, Store, best_effort, connect
from dativo_provider.store.spool import Spool
from tests.conformance.stores import FAILED, ORDERS, PASSED, Connect, StoreSuite, a_run, ago, finished


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    best_effort._down.clear()
    yield
    best_effort._down.clear()


class Outage:
    """A store behind a line that can be cut."""

    def __init__(self, folder: Path) -> None:
        self.settings = StoreSettings("sql", str(folder / "store.db"))
        self.spool_uri = file_uri(folder / "spool")
        self.cut = True
        self.problem: Exception = StorageUnavailable("no answer", where="db")
        self.tries = 0

    def open(self) -> Store:
        self.tries += 1
        if self.cut:
            raise self.problem
        return connect(self.settings)

    def store(self, *spools: str) -> BestEffort:
        return BestEffort(self.open, Spool(spools or (self.spool_uri,)), self.settings.uri)

    def mended(self) -> None:
        self.cut = False
        for name in best_effort._down:
            best_effort._down[name] = 0.0

    def waiting(self) -> list[str]:
        return [info.uri for info in open_files(self.spool_uri).list(self.spool_uri)]


@pytest.fixture
def line(tmp_path: Path) -> Outage:
    return Outage(tmp_path)


class TestBestEffortOverSqlite(StoreSuite):
    @pytest.fixture
    def connect(self, line: Outage) -> Connect:
        line.cut = False
        return line.store


def write_all(store: Store) -> str:
    run = a_run()
    store.begin(run)
    store.record_results(run.plan_id, [PASSED, FAILED])
    store.record_metrics(ORDERS, run.plan_id, run.started_at, {"rows": 5})
    store.record_quarantine(QuarantineEntry(run.plan_id, ORDERS, "q", run.started_at, 3, {"c2": 3}, ago(-30)))
    store.finish(finished(run))
    return run.plan_id


def check_all(store: Store, plan_id: str) -> None:
    found = store.get(plan_id)
    assert found is not None
    assert found.status == "published"
    assert store.results(plan_id) == (PASSED, FAILED)
    assert [point.value for point in store.history(ORDERS, "rows")] == [5]
    assert [(entry.rows, entry.reasons) for entry in store.quarantine()] == [(3, {"c2": 3})]


def test_an_unreachable_store_delays_records_and_stops_nothing(line: Outage) -> None:
    plan_id = write_all(line.store())
    assert len(line.waiting()) == 6
    line.mended()
    assert line.store().deliver() == 6
    assert line.waiting() == []
    check_all(line.store(), plan_id)


def test_the_first_write_after_an_outage_delivers_what_waited(line: Outage) -> None:
    first = write_all(line.store())
    line.mended()
    run = a_run()
    line.store().begin(run)
    assert line.waiting() == []
    check_all(line.store(), first)


def levels(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Of what the store itself has logged."""
    return [record.levelname for record in caplog.records if record.name == "dativo.store"]


def test_an_outage_is_logged_once_and_costs_one_attempt(line: Outage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dativo.store"):
        for _ in range(3):
            write_all(line.store())
        line.store().deliver()
        line.mended()
        line.store().deliver()
    assert line.tries == 2
    assert levels(caplog) == ["WARNING", "INFO"]
    assert "delivered later" in caplog.text
    assert "18 delayed records" in caplog.text


def test_a_bug_in_the_store_stops_no_run_either(line: Outage, caplog: pytest.LogCaptureFixture) -> None:
    line.problem = KeyError("surprise")
    plan_id = write_all(line.store())
    assert levels(caplog) == ["ERROR"]
    line.mended()
    line.store().deliver()
    check_all(line.store(), plan_id)


def test_facts_delivered_late_do_not_replace_newer_ones(line: Outage) -> None:
    run = a_run()
    line.store().begin(run)
    line.cut = False
    with connect(line.settings) as direct:
        direct.finish(finished(run))
    line.mended()
    line.store().deliver()
    assert line.store().runs() == [finished(run)]


def test_reads_raise_because_there_is_nothing_to_give_instead(line: Outage) -> None:
    store = line.store()
    for read in (store.runs, store.quarantine, lambda: store.get("x"), lambda: store.results("x")):
        with pytest.raises(StorageUnavailable):
            read()
    with pytest.raises(StorageUnavailable):
        store.history(ORDERS, "rows")


def test_the_second_place_is_used_when_the_first_is_away_too(line: Outage, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    away = file_uri(tmp_path / "a-file" / "spool")
    write_all(line.store(away, line.spool_uri))
    assert len(line.waiting()) == 6


def test_a_record_that_can_be_kept_nowhere_says_how_to_get_it_back(
    line: Outage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a-file").write_text("")
    write_all(line.store(file_uri(tmp_path / "a-file" / "spool")))
    assert "dativo store rebuild" in caplog.text


def test_deliveries_at_once_apply_everything(line: Outage) -> None:
    plans = [write_all(line.store()) for _ in range(4)]
    line.mended()
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: line.store().deliver(), range(4)))
    assert line.waiting() == []
    with connect(line.settings) as store:
        assert all(store.results(plan_id) == (PASSED, FAILED) for plan_id in plans)


def test_what_is_no_record_is_set_aside_and_does_not_block_others(line: Outage) -> None:
    files = open_files(line.spool_uri)
    files.write(join(line.spool_uri, "0-first.json"), b"{ half")
    plan_id = write_all(line.store())
    line.mended()
    assert line.store().deliver() == 6
    assert line.waiting() == [join(line.spool_uri, "0-first.json.unreadable")]
    check_all(line.store(), plan_id)
    assert line.store().deliver() == 0


def test_delivery_that_breaks_off_goes_on_later(line: Outage) -> None:
    write_all(line.store())
    line.cut = True
    assert line.store().deliver() == 0
    best_effort._down.clear()
    assert line.store().deliver() == 0
    assert len(line.waiting()) == 6
