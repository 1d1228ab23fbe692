"""How many slices a run has, and that slices of one process run beside each other."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.connectors.csv import windows
from dativo_provider.connectors.csv.reader import CsvReader
from dativo_provider.errors import Cancelled, SourceChanged
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.run import Plan, RunRequest
from dativo_provider.model.settings import Settings
from dativo_provider.pipeline import side_by_side, sizing, steps
from dativo_provider.pipeline.run import run
from tests.pipeline.build import Bench, ids
from tests.services.postgres import Database
from tests.support import requirement

LINE = "{},north,1.00,2026-03-01T00:00:00Z"


def with_files(root: Path, count: int, rows: int = 4, **given: Any) -> Bench:
    bench = Bench(root, **given)
    for file in range(count):
        bench.csv(f"{file:02}.csv", *(LINE.format(file * rows + row) for row in range(rows)))
    return bench


def planned(bench: Bench, ctx: RunContext | None = None, **request: Any) -> Plan:
    return steps.plan(bench.spec(), "orders", ctx or bench.context(), RunRequest(**request))


@requirement("ING-24")
def test_slices_follow_the_size_of_the_source_and_the_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = with_files(tmp_path, 10)
    assert len(planned(bench).slices) == 1
    size = sum(path.stat().st_size for path in bench.data.iterdir())
    monkeypatch.setattr(sizing, "SLICE_BYTES", size // 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    with caplog.at_level(logging.INFO, "dativo"):
        assert len(planned(bench).slices) == 4
    (line,) = [record.message for record in caplog.records if "slices:" in record.message]
    assert "of which a slice holds" in line
    assert "1024 MB of memory" in line


@requirement("ING-24")
def test_files_are_not_divided_where_one_slice_keeps_every_core_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = with_files(tmp_path, 10)
    size = sum(path.stat().st_size for path in bench.data.iterdir())
    monkeypatch.setattr(sizing, "SLICE_BYTES", size // 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert len(planned(bench, bench.context(threads=2)).slices) == 1
    assert len(planned(bench, bench.context(threads=1)).slices) == 4
    ctx = bench.context(threads=2)
    monkeypatch.setattr("dativo_provider.pipeline.plan.guard_settings", lambda settings: None)
    ctx.settings = replace(ctx.settings, distributed=True)
    assert len(planned(bench, ctx).slices) == 4
    monkeypatch.setattr(sizing, "SLICE_BYTES", size // 20)
    assert len(planned(bench, bench.context(threads=2)).slices) == 3


@requirement("ING-24")
def test_what_the_job_says_comes_before_what_the_size_says(tmp_path: Path) -> None:
    bench = with_files(tmp_path, 10, job={"slices": 3})
    plan = planned(bench)
    assert len(plan.slices) == 3
    assert len(planned(bench, dry_run=True, limit=2).slices) == 1


@requirement("ING-13", "ING-24")
def test_a_full_load_keeps_one_snapshot_unless_several_machines_can_read_it(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute(
        "create table orders (id bigint primary key, region text, amount numeric(12,2), updated_at timestamptz)",
        "insert into orders select n, 'north', 1, now() from generate_series(1, 2000) n",
        "analyze orders",
    )
    monkeypatch.setattr(sizing, "SLICE_BYTES", 20_000)
    bench = Bench(tmp_path)
    stream = StreamSpec(
        "orders", "public.orders", "orders", bench.spec().streams[0].contract, options={"min_slice_rows": 100}
    )
    job = replace(bench.spec(), source=SourceSpec("postgres", database.params), streams=(stream,))
    alone = steps.plan(job, "orders", bench.context(), RunRequest())
    assert (len(alone.slices), alone.window.notes) == (1, ())
    ctx = bench.context()
    monkeypatch.setattr("dativo_provider.pipeline.plan.guard_settings", lambda settings: None)
    ctx.settings = replace(ctx.settings, distributed=True)
    spread = steps.plan(job, "orders", ctx, RunRequest())
    assert 3 <= len(spread.slices) <= 8
    assert "not one point in time" in " ".join(spread.window.notes)
    report = steps.run(replace(job, slices=4), bench.context()).streams[0]
    assert (report.error, len(report.plan.slices if report.plan else ())) == (None, 4)
    assert ids(bench.rows()) == list(range(1, 2001))


@requirement("ING-14")
def test_slices_of_one_process_run_at_once_and_publish_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = with_files(tmp_path, 6, job={"slices": 3})
    together, real = threading.Barrier(2, timeout=20), side_by_side.extract
    first = iter((True, True))

    def extract(plan_uri: str, index: int, ctx: RunContext) -> Any:
        if next(first, False):
            together.wait()  # raises unless two slices run at the same time
        assert (ctx.settings.parties, ctx.settings.threads) == (2, 1)
        return real(plan_uri, index, ctx)

    monkeypatch.setattr(side_by_side, "extract", extract)
    assert bench.run().error is None
    assert ids(bench.rows()) == list(range(24))


@requirement("PRF-04", "ING-14")
def test_a_slow_source_is_read_by_as_many_at_once_as_there_are_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threefold and more where the source is what is waited for: four slices wait for it together."""
    bench = with_files(tmp_path, 8, job={"slices": 4})
    together, real = threading.Barrier(4, timeout=60), CsvReader.read

    def read(self: CsvReader, *piece: Any) -> Any:
        together.wait()  # raises unless all four read at the same time
        yield from real(self, *piece)

    monkeypatch.setattr(CsvReader, "read", read)
    (report,) = run(bench.spec(), bench.context(threads=4), RunRequest()).streams
    assert report.error is None
    assert ids(bench.rows()) == list(range(32))


@requirement("PRF-05")
def test_a_day_of_one_core_is_enough_for_half_a_terabyte(tmp_path: Path) -> None:
    """5.8 MB of CSV per CPU-second, checks and commit included; `make bench` measures what it comes to."""
    bench = Bench(tmp_path, rules=({"type": "range", "column": "amount", "min": 0},))
    line = "{},north,{}.25,2026-03-01T00:00:00Z"
    bench.csv("a.csv", *(line.format(at, at % 1000) for at in range(400_000)))
    planned(bench)  # what is loaded and made once is not counted
    size, started = (bench.data / "a.csv").stat().st_size, time.process_time()
    report = bench.run()
    seconds = time.process_time() - started
    assert (report.error, report.books.accepted) == (None, 400_000)
    assert size / seconds * 86_400 > 500e9


@requirement("ING-14")
def test_a_slice_that_fails_stops_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = with_files(tmp_path, 6, job={"slices": 6})
    asked = []

    def extract(plan_uri: str, index: int, ctx: RunContext) -> Any:
        asked.append(index)
        if index == 0:
            raise SourceChanged("gone")
        ctx.cancelled.wait(20)
        ctx.check_cancelled()

    monkeypatch.setattr(side_by_side, "extract", extract)
    started = time.monotonic()
    error = bench.run().error
    assert isinstance(error, SourceChanged)
    assert len(asked) < 6
    assert time.monotonic() - started < 10
    assert bench.rows() == []


@requirement("ING-14")
def test_cancelling_stops_every_slice_within_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, ctx = with_files(tmp_path, 6, job={"slices": 6}), None

    def extract(plan_uri: str, index: int, ctx: RunContext) -> Any:
        ctx.cancelled.wait(20)
        ctx.check_cancelled()

    monkeypatch.setattr(side_by_side, "extract", extract)
    ctx = bench.context()
    timer = threading.Timer(0.5, ctx.cancel)
    timer.start()
    started = time.monotonic()
    (stream,) = steps.run(bench.spec(), ctx).streams
    assert isinstance(stream.error, Cancelled)
    assert time.monotonic() - started < 5
    assert ctx.on_cancel == []


@requirement("ING-14", "ING-17")
def test_only_the_slice_that_failed_is_read_again(tmp_path: Path) -> None:
    bench = with_files(tmp_path, 3, rows=50, job={"slices": 3})
    ctx = bench.context()
    plan = planned(bench, ctx)
    assert [len(piece.spec["files"]) for piece in plan.slices] == [1, 1, 1]
    done = [steps.extract(plan.path, index, ctx) for index in (0, 2)]
    hidden = bench.data / "01.csv"
    hidden.rename(bench.root / "01.csv")
    with pytest.raises(SourceChanged):
        steps.extract(plan.path, 1, ctx)
    (bench.root / "01.csv").rename(hidden)
    for file in ("00.csv", "02.csv"):  # whoever read them again would fail
        (bench.data / file).write_text("broken")
    again = [steps.extract(plan.path, index, bench.context()) for index in range(3)]
    assert [each.attempt for each in (again[0], again[2])] == [each.attempt for each in done]
    steps.audit(plan.path, ctx)
    steps.publish(plan.path, ctx)
    assert ids(bench.rows()) == list(range(150))


@requirement("ING-14")
def test_a_big_file_read_in_parts_is_known_as_one_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.connectors.csv.test_lines import small_blocks

    monkeypatch.setattr(windows, "SMALLEST_PART", 0)
    bench = with_files(tmp_path, 1, rows=1000, job={"slices": 4})
    with small_blocks(1024):
        report = bench.run()
        assert report.plan is not None
        assert (report.error, len(report.plan.slices)) == (None, 4)
        assert ids(bench.rows()) == list(range(1000))
        sources = sorted(int(row["_dativo_source"].rpartition(":")[2]) for row in bench.rows())
        assert sources == list(range(2, 1002)), "each row knows its line of the whole file"
        assert bench.run().books.extracted == 0


@requirement("PRF-03")
def test_a_jobs_memory_limit_comes_before_the_deployments(tmp_path: Path) -> None:
    bench = with_files(tmp_path, 1, job={"memory_limit_mb": 512})
    ctx = bench.context(memory_limit_mb=2048)
    plan = planned(bench, ctx)
    assert ctx.settings.memory_limit_mb == 512
    later = bench.context(memory_limit_mb=2048)
    steps.extract(plan.path, 0, later)
    assert later.settings.memory_limit_mb == 512


def test_parties_share_what_the_limit_leaves() -> None:
    alone, both = (Budget.of(Settings("", memory_limit_mb=1024, parties=parties)) for parties in (1, 2))
    assert both.group_bytes <= alone.group_bytes // 2 < both.group_bytes + (1 << 20)
    assert alone.open_files(10, remote=True) < alone.open_files(10, remote=False)
