"""Rows that several lanes, or several files, bring: each is published once, or the run is refused."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.errors import ConfigurationError, Fenced, InternalError
from dativo_provider.model.job import IncrementalSpec, JobSpec, SourceSpec, StreamSpec
from dativo_provider.model.run import Plan, RunRequest
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.run import StreamReport, run
from tests.pipeline.build import Bench, ids
from tests.services.postgres import Database
from tests.support import requirement

DAYS = "2026-03-{:02d}T00:00:00+00:00"


class Backfills:
    """A table with one row per day of March, read by its timestamp."""

    def __init__(self, root: Path, database: Database, key: tuple[str, ...]) -> None:
        self.bench, self.database, self.key = Bench(root), database, key
        database.execute(
            "create table orders (id bigint primary key, region text, amount numeric(12,2), updated_at timestamptz)",
            "insert into orders select d, 'x', nullif(d, 3), timestamptz '2026-02-28 00:00Z' + d * interval '1 day' "
            "from generate_series(1, 20) d",
        )

    def spec(self) -> JobSpec:
        made = self.bench.spec()
        stream = StreamSpec(
            "orders", "public.orders", "orders", made.streams[0].contract, key=self.key,
            incremental=IncrementalSpec("updated_at", "updated_at", lag_seconds=0),
        )  # fmt: skip
        return replace(made, source=SourceSpec("postgres", self.database.params), streams=(stream,))

    def run(self, first: int = 0, last: int = 0, **request: Any) -> StreamReport:
        if first:
            request |= {"start": DAYS.format(first), "end": DAYS.format(last)}
        (report,) = run(self.spec(), self.bench.context(), RunRequest(**request)).streams
        return report

    def staged(self, request: RunRequest) -> Plan:
        """All but published."""
        ctx = self.bench.context()
        plan = steps.plan(self.spec(), "orders", ctx, request)
        for piece in plan.slices:
            steps.extract(plan.path, piece.index, ctx)
        steps.audit(plan.path, ctx)
        return plan

    def check(self) -> None:
        assert ids(self.bench.rows()) == [day for day in range(1, 21) if day != 3]
        assert len(self.bench.quarantine()) == 1


@pytest.fixture
def keyed(tmp_path: Path, database: Database) -> Backfills:
    return Backfills(tmp_path, database, ("id",))


@pytest.fixture
def keyless(tmp_path: Path, database: Database) -> Backfills:
    return Backfills(tmp_path, database, ())


@requirement("STA-07", "REG-08")
def test_a_backfill_of_what_live_runs_brought_doubles_nothing(keyed: Backfills) -> None:
    keyed.run()
    books = keyed.run(2, 6).books
    assert (books.extracted, books.accepted, books.duplicates, books.quarantined) == (4, 0, 4, 0)
    keyed.check()


@requirement("STA-07", "REG-08")
def test_live_runs_after_backfills_double_nothing(keyed: Backfills) -> None:
    keyed.run(2, 6)
    keyed.run(4, 8)
    books = keyed.run().books
    assert (books.accepted, books.duplicates) == (14, 6)
    keyed.database.execute("insert into orders values (30, 'x', 1, '2026-03-25 00:00Z')")
    keyed.run(24, 27)
    keyed.database.execute("delete from orders where id = 30")
    keyed.run()
    assert Counter(ids(keyed.bench.rows()))[30] == 1


@requirement("STA-07")
def test_a_backfill_repeated_adds_what_is_new_and_doubles_nothing(keyed: Backfills) -> None:
    keyed.run(2, 6)
    assert keyed.run(2, 6).books.duplicates == 4
    keyed.run()
    keyed.check()


@requirement("STA-07")
@pytest.mark.parametrize("first", [{}, {"first": 2, "last": 6}], ids=["live", "backfill"])
@pytest.mark.parametrize("then", [{}, {"first": 2, "last": 6}], ids=["live", "backfill"])
def test_without_a_key_what_would_be_doubled_is_refused(
    keyless: Backfills, first: dict[str, int], then: dict[str, int]
) -> None:
    assert keyless.run(**first).error is None
    report = keyless.run(**then)
    if first == then == {}:  # a plain increment
        assert report.error is None
        return
    assert isinstance(report.error, ConfigurationError)
    assert "there twice" in report.error.message
    assert max(Counter(ids(keyless.bench.rows())).values()) == 1


@requirement("STA-07")
def test_backfills_of_one_month_after_another_need_no_key(keyless: Backfills) -> None:
    for first in (1, 8, 15):
        assert keyless.run(first, first + 7).error is None
    keyless.check()


@requirement("STA-07")
def test_backfills_that_overlap_need_a_key_also_one_after_the_other(keyless: Backfills) -> None:
    assert keyless.run(4, 8).error is None
    for first, last in ((2, 5), (5, 6), (7, 9), (2, 9)):
        error = keyless.run(first, last).error
        assert isinstance(error, ConfigurationError)
        assert "no earlier run has read" in error.remedy
    assert keyless.run(8, 10).error is None
    assert ids(keyless.bench.rows()) == [4, 5, 6, 7, 8, 9]


@requirement("ING-25", "STA-07")
@pytest.mark.parametrize("key", ["keyed", "keyless"])
def test_lanes_that_run_at_once_and_may_bring_the_same_rows_fence_each_other(
    key: str, request: pytest.FixtureRequest
) -> None:
    world: Backfills = request.getfixturevalue(key)
    asked = [RunRequest(), *(RunRequest(start=DAYS.format(a), end=DAYS.format(b)) for a, b in ((2, 6), (5, 9)))]
    plans = [world.staged(each) for each in asked]
    ctx = world.bench.context()
    steps.publish(plans[1].path, ctx)
    for late in (plans[0], plans[2]):
        with pytest.raises(Fenced, match="may have brought the same rows"):
            steps.publish(late.path, ctx)
    assert steps.publish(plans[1].path, ctx).outcome == "already"
    assert ids(world.bench.rows()) == [2, 4, 5]


@requirement("ING-25", "STA-07")
def test_backfills_of_ranges_that_lie_apart_run_at_once(keyless: Backfills) -> None:
    plans = [keyless.staged(RunRequest(start=DAYS.format(a), end=DAYS.format(a + 7))) for a in (1, 8, 15)]
    for plan in reversed(plans):
        steps.publish(plan.path, keyless.bench.context())
    keyless.check()


@requirement("ING-10")
@pytest.mark.parametrize("key", ["keyed", "keyless"])
def test_a_full_refresh_replaces_what_backfills_brought_too(key: str, request: pytest.FixtureRequest) -> None:
    world: Backfills = request.getfixturevalue(key)
    world.run(2, 6)
    assert world.run(full_refresh=True).error is None
    assert ids(world.bench.rows()) == [day for day in range(1, 21) if day != 3]


@requirement("ING-25")
def test_a_row_in_two_files_of_one_run_is_published_once_however_many_tasks_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stream={"key": ("id",)}, job={"slices": 4})
    for name in ("a.csv", "b.csv", "c.csv"):
        bench.csv(name, "1,north,1.00,2026-03-01T00:00:00Z", f"{ord(name[0])},north,1.00,2026-03-01T00:00:00Z")
    books = bench.run().books
    assert (books.accepted, books.duplicates) == (4, 2)
    assert ids(bench.rows()) == [1, 97, 98, 99]


def test_a_bug_in_one_stream_is_recorded_stops_no_other_and_quotes_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dativo_provider.pipeline.side_by_side as module

    bench = Bench(tmp_path)
    bench.csv("a.csv", "1,north,1.00,2026-03-01T00:00:00Z")
    job, real = bench.spec(), module.extract

    def extract(plan_uri: str, index: int, ctx: Any) -> Any:
        if "/broken/" in plan_uri:
            raise pa.ArrowInvalid("Integer value 4111111111111111 not in range")
        return real(plan_uri, index, ctx)

    monkeypatch.setattr(module, "extract", extract)
    broken = replace(job.streams[0], name="broken", table="broken")
    first, second = steps.run(replace(job, streams=(broken, *job.streams)), bench.context()).streams
    assert isinstance(first.error, InternalError)
    assert "ArrowInvalid" in str(first.error)
    assert "4111" not in str(first.error)
    assert second.error is None


def test_a_failed_slice_leaves_no_temporary_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    bench = Bench(tmp_path, stream={"key": ("id",)})
    path = bench.csv("a.csv", "1,north,1.00,2026-03-01T00:00:00Z")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    path.unlink()
    with pytest.raises(Exception, match="removed") as failure:
        steps.extract(plan.path, 0, ctx)
    assert failure.tb
    assert [each.name for each in folder.iterdir()] == []
