from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.errors import (
    Cancelled,
    ConfigurationError,
    ContractViolation,
    DataError,
    Fenced,
    SourceChanged,
    Unsupported,
)
from dativo_provider.model.job import IncrementalSpec
from dativo_provider.model.run import RunRequest
from dativo_provider.model.stream import Field
from dativo_provider.observability import MemoryMetrics
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.workplace import open_run
from dativo_provider.store import open_store
from dativo_provider.vocabulary import ExitCode
from tests.pipeline.build import Bench, ids
from tests.support import requirement

NOON = "2026-11-20T12:00:00Z"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def order(identity: int, amount: str = "1.50", region: str = "north", at: str = NOON) -> str:
    return f"{identity},{region},{amount},{at}"


@requirement("ING-01", "ING-04", "QUA-01")
def test_good_rows_are_published_and_bad_ones_set_aside_with_their_original_values(bench: Bench) -> None:
    bench.csv("a.csv", order(1), order(2, amount="12,50x"), order(3, amount=""), "4,north", order(5))
    report = bench.run()
    assert report.error is None
    books = report.books
    assert (books.extracted, books.accepted, books.quarantined, books.rejected) == (5, 2, 1, 2)
    assert ids(bench.rows()) == [1, 5]
    aside = {row["source_reference"]: row for row in bench.quarantine()}
    assert json.loads(aside["a.csv:4"]["raw"])["id"] in (3, "3")
    assert aside["a.csv:4"]["reasons"] == ["amount.required"]
    assert {row["kind"] for row in aside.values()} == {"quarantined", "rejected"}


@requirement("ERR-06", "REG-07")
def test_exit_codes_tell_all_accepted_from_rows_left_out_from_failure(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    assert bench.run().exit_code == ExitCode.OK
    assert bench.run().exit_code == ExitCode.OK  # an empty increment
    bench.csv("b.csv", order(2), order(3, amount=""))
    assert bench.run().exit_code == ExitCode.PARTIAL
    shutil.rmtree(bench.data)
    assert bench.run().exit_code == ExitCode.FAILED


@requirement("REG-02", "STA-01", "STA-07")
def test_a_second_run_adds_only_what_is_new(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    bench.run()
    bench.csv("b.csv", order(2))
    report = bench.run()
    assert report.books.extracted == 1
    assert ids(bench.rows()) == [1, 2]


@requirement("ING-10")
def test_a_full_refresh_replaces_instead_of_doubling(bench: Bench) -> None:
    bench.csv("a.csv", order(1), order(2))
    bench.run()
    bench.csv("b.csv", order(3))
    report = bench.run(full_refresh=True)
    assert report.published is not None
    assert (report.published.deleted, report.published.inserted) == (2, 3)
    assert ids(bench.rows()) == [1, 2, 3]


@requirement("DQ-04", "ING-04", "STA-09")
def test_a_blocked_run_shows_nothing_and_moves_no_cursor(bench: Bench) -> None:
    bench.job["schema_validation"] = "strict"
    bench.csv("a.csv", order(1), order(2, amount="much"))
    report = bench.run()
    assert isinstance(report.error, ContractViolation)
    assert report.verdict is not None
    assert report.verdict.decision == "block"
    assert bench.rows() == []
    assert bench.quarantine() == []
    bench.job["schema_validation"] = "quarantine"
    assert bench.run().books.extracted == 2


def test_rows_read_but_none_fit_to_publish_is_an_error(bench: Bench) -> None:
    bench.csv("a.csv", order(1, amount=""), order(2, amount=""))
    report = bench.run()
    assert isinstance(report.error, ContractViolation)
    assert "none is left to publish" in str(report.error)


def test_a_replace_that_read_nothing_keeps_the_table(bench: Bench) -> None:
    bench.target["mode"] = "replace"
    bench.stream["incremental"] = IncrementalSpec()
    path = bench.csv("a.csv", order(1))
    bench.run()
    path.write_text("id,region,amount,updated_at\n")
    assert isinstance(bench.run().error, ContractViolation)
    assert ids(bench.rows()) == [1]
    bench.target["allow_empty_replace"] = True
    assert bench.run().error is None
    assert bench.rows() == []


def test_a_replace_that_read_nothing_says_so_before_publishing(bench: Bench) -> None:
    bench.target["mode"] = "replace"
    bench.stream["incremental"] = IncrementalSpec()
    path = bench.csv("a.csv", order(1))
    bench.run()
    path.write_text("id,region,amount,updated_at\n")
    report = bench.run()
    assert report.verdict is not None
    assert report.verdict.decision == "block"
    assert "allow_empty_replace" in str(report.error)


@requirement("REG-10")
def test_one_value_too_large_for_its_type_costs_one_row(bench: Bench) -> None:
    bench.csv("a.csv", order(2**63 - 1), order(2**63), order(3))
    report = bench.run()
    assert report.error is None
    assert ids(bench.rows()) == [3, 2**63 - 1]
    (aside,) = bench.quarantine()
    assert str(2**63) in aside["raw"]
    assert aside["reasons"] == ["id.type"]


@requirement("REG-09")
def test_timestamps_keep_their_instant(bench: Bench) -> None:
    bench.csv("a.csv", order(1, at="2026-03-29T02:30:00+05:30"), order(2, at="2026-03-28T21:00:00Z"))
    bench.run()
    assert len({row["updated_at"] for row in bench.rows()}) == 1


@requirement("ORC-07")
def test_a_stream_that_fails_does_not_stop_the_others(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    job = bench.spec()
    gone = replace(job.streams[0], name="gone", object="nowhere.csv", table="gone")
    reports = steps.run(replace(job, streams=(gone, *job.streams)), bench.context()).streams
    assert [report.error is None for report in reports] == [False, True]
    assert ids(bench.rows()) == [1]


def test_a_required_column_the_source_lacks_is_named_before_anything_is_read(bench: Bench) -> None:
    bench.csv("a.csv", "1,north,2,x", header="id,region,amont,updated_at")
    error = bench.run().error
    assert isinstance(error, DataError)
    assert "amount" in error.message
    assert "did you mean 'amont'" in error.remedy
    assert bench.rows() == []


@requirement("REG-03")
def test_a_file_that_vanishes_between_plan_and_read_publishes_nothing(bench: Bench) -> None:
    path = bench.csv("a.csv", order(1))
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    path.unlink()
    with pytest.raises(SourceChanged):
        steps.extract(plan.path, 0, ctx)
    assert bench.rows() == []
    bench.csv("a.csv", order(1))
    assert bench.run().books.accepted == 1


@requirement("ING-25")
def test_the_second_of_two_runs_from_one_cursor_is_fenced(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    ctx = bench.context()
    plans = [steps.plan(bench.spec(), "orders", ctx, RunRequest()) for _ in range(2)]
    for plan in plans:
        steps.extract(plan.path, 0, ctx)
        steps.audit(plan.path, ctx)
    steps.publish(plans[0].path, ctx)
    with pytest.raises(Fenced):
        steps.publish(plans[1].path, ctx)
    assert steps.publish(plans[0].path, ctx).outcome == "already"
    assert ids(bench.rows()) == [1]


@requirement("DQ-06")
def test_stale_rows_are_published_and_then_the_run_fails(bench: Bench) -> None:
    bench.rules = ({"type": "freshness", "column": "updated_at", "max_age_hours": 24},)
    bench.csv("a.csv", order(1, at="2020-01-01T00:00:00Z"))
    report = bench.run()
    assert isinstance(report.error, ContractViolation)
    assert "rows are published" in str(report.error)
    assert report.published is not None
    assert report.exit_code == ExitCode.FAILED
    assert ids(bench.rows()) == [1]


@requirement("STA-04")
def test_every_run_is_recorded_with_its_books_or_its_error(bench: Bench) -> None:
    bench.csv("a.csv", order(1), order(2, amount=""))
    bench.run()
    bench.fields = (*bench.fields, Field("extra", "string", required=True))
    bench.run()
    with open_store(bench.context()) as store:
        failed, published = store.runs(tenant="acme")
        assert (published.status, published.books.accepted, published.books.quarantined) == ("published", 1, 1)
        assert failed.status == "failed"
        assert failed.error["error_type"] == "DataError"
        (entry,) = store.quarantine(tenant="acme")
        assert (entry.rows, entry.reasons) == (1, {"amount.required": 1})


@requirement("OBS-01")
def test_a_run_counts_what_it_did(bench: Bench) -> None:
    bench.csv("a.csv", order(1), order(2, amount=""))
    ctx = bench.context()
    ctx.metrics = metrics = MemoryMetrics()
    steps.run(bench.spec(), ctx)
    assert metrics.total("dativo_records_processed_total", tenant_id="acme") == 1
    assert metrics.total("dativo_records_failed_total", error_type="quarantined") == 1
    assert metrics.total("dativo_bytes_written_total") > 0


@requirement("DQ-04")
def test_audit_and_publish_each_refuse_a_blocked_run(bench: Bench) -> None:
    bench.job["schema_validation"] = "strict"
    bench.csv("a.csv", order(1), order(2, amount="much"))
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    steps.extract(plan.path, 0, ctx)
    for step in (steps.audit, steps.publish):
        with pytest.raises(ContractViolation, match="blocked"):
            step(plan.path, ctx)
    assert bench.rows() == []


def test_publish_refuses_a_run_nobody_audited(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    steps.extract(plan.path, 0, ctx)
    with pytest.raises(ConfigurationError, match="not been audited"):
        steps.publish(plan.path, ctx)


@requirement("TEN-03")
def test_a_step_in_another_home_stops_before_reading(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    plan = steps.plan(bench.spec(), "orders", bench.context(), RunRequest())
    with pytest.raises(ConfigurationError, match="another DATIVO_HOME"):
        steps.extract(plan.path, 0, bench.context(home=bench.root / "elsewhere"))


def test_embedded_defaults_refuse_workers_on_several_machines(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    with pytest.raises(ConfigurationError, match="DATIVO_CATALOG_URI"):
        steps.plan(bench.spec(), "orders", bench.context(distributed=True), RunRequest())


def test_a_job_this_version_cannot_execute_says_what_is_missing(bench: Bench) -> None:
    bench.job["unsupported"] = ("connector 'zendesk' is not there yet",)
    error = bench.run().error
    assert isinstance(error, Unsupported)
    assert "zendesk" in str(error)


def test_a_dry_run_shows_samples_and_leaves_no_trace(bench: Bench) -> None:
    bench.csv("a.csv", *(order(number) for number in range(1, 40)), order(99, amount=""))
    report = bench.run(dry_run=True)
    assert report.error is None
    assert report.verdict is not None
    assert report.verdict.decision == "quarantine"
    assert len(report.samples) == 5
    assert report.books.extracted == 40
    assert bench.rows() == []
    assert not list((bench.home / "warehouse").rglob("*.parquet"))
    assert bench.run(dry_run=True, limit=7).books.extracted == 7
    assert bench.run().books.extracted == 40


def test_cancelling_ends_the_run_and_publishes_nothing(bench: Bench) -> None:
    bench.csv("a.csv", *(order(number) for number in range(1000)))
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    ctx.cancel()
    with pytest.raises(Cancelled):
        steps.extract(plan.path, 0, ctx)
    assert bench.rows() == []
    assert not [thread for thread in threading.enumerate() if thread.name == "dativo-read"]


def test_an_unreachable_metadata_store_delays_its_record_and_no_publish(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    (bench.home / "store.db").mkdir(parents=True)
    assert bench.run().error is None
    assert ids(bench.rows()) == [1]


def test_two_append_jobs_share_a_table_and_a_replace_beside_them_is_refused(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    ctx = bench.context()
    for name in ("first", "second"):
        assert steps.run(bench.spec(name), ctx).streams[0].error is None
    assert ids(bench.rows()) == [1, 1]  # each job keeps its own books
    bench.target["mode"] = "replace"
    bench.stream["incremental"] = IncrementalSpec()
    error = steps.run(bench.spec("third"), ctx).streams[0].error
    assert isinstance(error, ConfigurationError)
    assert "first" in str(error)


def test_a_finished_slice_is_not_read_twice(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    first = steps.extract(plan.path, 0, ctx)
    os.unlink(bench.data / "a.csv")
    assert steps.extract(plan.path, 0, ctx) == first


def test_plans_hold_references_and_no_secret(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    ctx = bench.context()
    ctx.variables = {"TOKEN": "s3cr3t-value"}
    job = bench.spec()
    source = replace(job.source, connection={"token": "${TOKEN}"})
    job = replace(job, source=source, allowed_variables=("TOKEN",))
    plan = steps.plan(job, "orders", ctx, RunRequest())
    folder, loaded, _target = open_run(plan.path, ctx)
    assert loaded.job.source.connection == {"token": "${TOKEN}"}
    assert b"s3cr3t" not in folder.store.read(plan.path)
