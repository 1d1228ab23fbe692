"""Maintenance of a job's tables: what runs do and what they leave behind."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pyarrow.parquet as pq
import pytest

from dativo_provider.errors import ConfigurationError, StorageUnavailable
from dativo_provider.files import local_path
from dativo_provider.model.context import RunContext
from dativo_provider.model.maintenance import MaintenanceSpec
from dativo_provider.pipeline.approve import approve
from dativo_provider.pipeline.history import records
from dativo_provider.pipeline.maintain import JOBS, maintain, maintain_table, wanted
from dativo_provider.store import StreamKey, open_store
from tests.pipeline.build import Bench, ids
from tests.support import requirement

SPEC = MaintenanceSpec(target_mb=1, min_files=3, min_manifests=3, retention_days=1, keep_snapshots=1, run_days=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Four runs, each with a row that goes to the quarantine."""
    made = Bench(tmp_path, job={"maintenance": SPEC})
    for number in range(4):
        made.csv(f"orders-{number}.csv", f"{number},north,1.50,", f"{number + 100},north,,")
        made.run()
    return made


def age(folder: Path, days: float = 5) -> None:
    old = time.time() - days * 86_400
    for path in folder.rglob("*"):
        os.utime(path, (old, old))


def later(bench: Bench, days: float = 5) -> RunContext:
    """The same surroundings, days after."""
    return replace(bench.context(), now=lambda: datetime.now(UTC) + timedelta(days=days))


@requirement("TAG-08", "PRF-03")
@pytest.mark.parametrize(("limit", "groups"), [(1024, range(1, 7)), (208, range(8, 20))])
def test_compaction_gathers_no_more_rows_than_the_memory_limit_allows(
    tmp_path: Path, limit: int, groups: range
) -> None:
    """Eight megabytes above what the process takes anyway; a row group may take a tenth of that."""
    bench = Bench(tmp_path, job={"maintenance": SPEC})
    for number in range(3):
        rows = range(number * 20_000, number * 20_000 + 20_000)
        bench.csv(f"{number}.csv", *(f"{row},{row:050},1.50,2026-03-01T00:00:00Z" for row in rows))
        bench.run()
    ctx = later(bench)
    ctx.settings = replace(ctx.settings, memory_limit_mb=limit)
    (done,) = [each for each in maintain(bench.spec(), ctx, only=("compact",)) if each.table == "acme.orders"]
    assert (done.before.files, done.after.files) == (3, 1)
    (path,) = bench.table().inspect.files()["file_path"].to_pylist()
    assert pq.read_metadata(local_path(path)).num_row_groups in groups
    assert ids(bench.rows()) == list(range(60_000))


@requirement("TAG-08", "ING-05")
def test_every_table_of_the_job_is_cared_for(bench: Bench) -> None:
    rows, aside = bench.rows(), bench.quarantine()
    age(bench.home)
    found = maintain(bench.spec(), later(bench))
    assert [each.note for each in found if each.outcome == "failed"] == []
    done = {(each.table, each.job): each for each in found}
    for table in ("acme.orders", "acme.orders_quarantine"):
        assert (done[table, "compact"].before.files, done[table, "compact"].after.files) == (4, 1)
        assert done[table, "expire"].outcome == "done"
    assert {each.job for each in found} == set(JOBS)
    assert ids(bench.rows()) == ids(rows)
    assert sorted(row["row_id"] for row in bench.quarantine()) == sorted(row["row_id"] for row in aside)
    bench.csv("orders-9.csv", "9,north,1.50,")
    assert bench.run().error is None
    assert len(bench.rows()) == len(rows) + 1


def test_a_dry_run_changes_nothing(bench: Bench) -> None:
    age(bench.home)
    before = sorted((path, path.stat().st_size) for path in (bench.home / "warehouse").rglob("*"))
    found = maintain(bench.spec(), later(bench), dry_run=True)
    assert {each.outcome for each in found} >= {"planned"}
    assert "done" not in {each.outcome for each in found}
    assert sorted((path, path.stat().st_size) for path in (bench.home / "warehouse").rglob("*")) == before


def test_folders_of_old_runs_are_folded_and_the_store_can_still_be_rebuilt(bench: Bench) -> None:
    before = {record.plan_id: record for record in records(bench.context())}
    age(bench.home)
    (done,) = maintain(bench.spec(), bench.context(), ["runs"])
    assert (done.outcome, done.note) == ("done", "runs folded: 4")
    folder = bench.home / "warehouse/_dativo/runs/acme/orders/orders"
    assert [path for path in folder.rglob("*.json") if path.is_file()] == []
    assert {record.plan_id: record.books for record in records(bench.context())} == {
        plan_id: record.books for plan_id, record in before.items()
    }
    assert {record.status for record in records(bench.context())} == {"published"}
    (again,) = maintain(bench.spec(), bench.context(), ["runs"])
    assert again.outcome == "nothing"


def test_a_fold_that_dies_half_way_neither_loses_nor_doubles_a_run(bench: Bench) -> None:
    known = {record.plan_id for record in records(bench.context())}
    age(bench.home)
    real, calls = os.unlink, []

    def dying(path, *more, **named):
        if str(path).endswith(".json") and "/runs/" in str(path):
            calls.append(path)
            if len(calls) == 3:
                raise KeyboardInterrupt
        return real(path, *more, **named)

    with mock.patch("dativo_provider.files.local.LocalFiles.delete") as delete:
        delete.side_effect = lambda uri: dying(uri.removeprefix("file://"))
        with pytest.raises(KeyboardInterrupt):
            maintain(bench.spec(), bench.context(), ["runs"])
    found = [record.plan_id for record in records(bench.context())]
    assert sorted(found) == sorted(known)
    age(bench.home)
    maintain(bench.spec(), bench.context(), ["runs"])
    found = [record.plan_id for record in records(bench.context())]
    assert set(found) == known


@requirement("MKV-09", "ING-05")
def test_the_folder_of_a_run_that_waits_is_kept_until_it_is_decided(tmp_path: Path) -> None:
    """Without its plan nobody could approve it any more."""
    bench = Bench(tmp_path, job={"maintenance": SPEC}, target={"publish": "branch"})
    bench.csv("orders-0.csv", "0,north,1.50,")
    waiting = bench.run()
    age(bench.home)
    maintain(bench.spec(), later(bench), only=["runs", "orphans"])
    assert [run.status for run in records(bench.context())] == ["awaiting_approval"]
    assert approve(waiting.plan.path, bench.context(), "Ada").outcome == "committed"
    assert ids(bench.rows()) == [0]
    age(bench.home)
    maintain(bench.spec(), later(bench), only=["runs"])
    assert not list(bench.home.rglob("plan.json"))
    assert [(run.status, run.decided_by) for run in records(bench.context())] == [("published", "Ada")]


def test_young_folders_and_running_plans_stay(bench: Bench) -> None:
    assert [each.outcome for each in maintain(bench.spec(), bench.context(), ["runs"])] == ["nothing"]


def test_a_run_the_store_says_is_running_keeps_its_staged_files(bench: Bench) -> None:
    from dativo_provider.pipeline import steps

    bench.csv("orders-9.csv", "9,north,1.50,")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, _request())
    for piece in plan.slices:
        steps.extract(plan.path, piece.index, ctx)
    age(bench.home)
    maintain(bench.spec(), bench.context(), ["orphans"])
    steps.transform(plan.path, ctx)
    steps.audit(plan.path, ctx)
    steps.publish(plan.path, ctx)
    assert 9 in ids(bench.rows())


def _request():
    from dativo_provider.model.run import RunRequest

    return RunRequest()


def test_without_the_store_nothing_is_swept_and_the_rest_is_done(bench: Bench) -> None:
    with mock.patch("dativo_provider.store.best_effort.BestEffort.runs", side_effect=StorageUnavailable("away")):
        found = {each.job: each.outcome for each in maintain(bench.spec(), bench.context(), ["compact", "orphans"])}
    assert found == {"compact": "done", "orphans": "failed"}


def test_statistics_become_history(bench: Bench) -> None:
    maintain(bench.spec(), bench.context(), ["statistics"])
    key, store = StreamKey("acme", "orders", "orders"), open_store(bench.context())
    assert [point.value for point in store.history(key, "table_rows")] == [4]
    assert [point.value for point in store.history(key, "quarantine_table_rows")] == [4]


def test_a_table_by_its_name(bench: Bench) -> None:
    found = maintain_table("acme.orders", bench.context(), ["compact"], spec=SPEC)
    assert [each.outcome for each in found] == ["done", "done"]
    with pytest.raises(ConfigurationError, match=r"acme\.nothing"):
        maintain_table("acme.nothing", bench.context(), spec=SPEC)


def test_a_job_that_has_no_table_yet_needs_no_care(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert {each.job for each in maintain(bench.spec(), bench.context())} == {"inbox", "runs"}


def test_jobs_are_chosen_by_name_and_run_in_their_own_order() -> None:
    assert wanted(("expire", "compact")) == ("compact", "expire")
    assert wanted(()) == tuple(JOBS)
    with pytest.raises(ConfigurationError, match="vacuum"):
        wanted(("vacuum",))
