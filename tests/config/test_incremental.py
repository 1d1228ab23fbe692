from __future__ import annotations

import pytest

from dativo_provider.model.job import IncrementalSpec
from tests.config.support import JOB, Deployment, place
from tests.support import requirement

CSV = "source_connector: csv\nasset: orders\nsource:\n  path: in/*.csv\n"
KEYLESS = "source_connector: postgres\nsource:\n  table: public.orders\n"


@requirement("STA-02", "STA-08")
@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{strategy: updated_at}", IncrementalSpec("updated_at", "updated_at", 0, 60)),
        ("{strategy: updated_at, lookback_hours: 1}", IncrementalSpec("updated_at", "updated_at", 3600, 60)),
        ("{cursor_field: id, lookback_days: 0.5}", IncrementalSpec("incremental", "id", 43200, 60)),
        ("{strategy: cursor_field, cursor_field: id}", IncrementalSpec("cursor_field", "id", 0, 60)),
        ("{strategy: updated_after, cursor_field: updated_at, lookback_seconds: 7, lag_seconds: 0}",
         IncrementalSpec("updated_after", "updated_at", 7, 0)),
        ("{strategy: full_refresh}", IncrementalSpec()),
        ("{strategy: full_refresh, cursor_field: id}", IncrementalSpec(cursor_field="id")),
    ],
)  # fmt: skip
def test_strategies_of_databases(deployment: Deployment, block: str, expected: IncrementalSpec) -> None:
    assert deployment.load(JOB + f"  incremental: {block}\n").streams[0].incremental == expected


@pytest.mark.parametrize("strategy", ["file_modified_time", "incremental"])
def test_files_are_followed_by_modification_time(deployment: Deployment, strategy: str) -> None:
    job = deployment.load(CSV + f"  incremental: {{strategy: {strategy}}}\n")
    assert job.streams[0].incremental == IncrementalSpec("file_modified_time", "", 0, 60)
    assert job.target.mode == "append"


def test_without_a_block_everything_is_read_and_replaced(deployment: Deployment) -> None:
    job = deployment.load(CSV)
    assert job.streams[0].incremental == IncrementalSpec()
    assert job.target.mode == "replace"


def test_the_cursor_of_a_table_wins_over_the_job_s(deployment: Deployment) -> None:
    text = JOB.replace("[public.orders]", "[{name: public.orders, cursor_field: id}]")
    assert deployment.load(text + "  incremental: {strategy: updated_at}\n").streams[0].incremental.cursor_field == "id"
    assert "every run reads everything" in deployment.only_warning(text).message
    assert deployment.load(text).streams[0].incremental == IncrementalSpec(cursor_field="id")


@requirement("ING-10")
def test_the_cursor_of_files_tells_which_rows_were_there_before(deployment: Deployment) -> None:
    text = CSV + "  incremental: {strategy: file_modified_time, cursor_field: updated_at, lookback_days: 1}\n"
    stream = deployment.load(text).streams[0]
    assert stream.incremental == IncrementalSpec("file_modified_time", "updated_at", 86400, 60)
    assert stream.key == ("id",)
    of_file = CSV.replace("path: in/*.csv", "files: [{path: in/*.csv, object: orders, cursor_field: id}]")
    of_file += "  incremental: {strategy: file_modified_time}\n"
    assert deployment.load(of_file).streams[0].incremental.cursor_field == "id"


@requirement("REG-08")
def test_lookback_without_a_key_is_refused(deployment: Deployment) -> None:
    text = KEYLESS + "  incremental: {cursor_field: x, lookback_hours: 2}\n"
    found = deployment.only_error(text)
    assert "without a key they would be published twice" in found.message
    assert place(found) == (4, 50)
    assert deployment.load(text + "  key: id\n").streams[0].key == ("id",)
    assert deployment.load(text + "target: {write_mode: replace}\n").target.mode == "replace"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{strategy: updated_at, lookback_hours: 1, lookback_days: 1}", "both lookback_hours and lookback_days"),
        ("{strategy: incremental}", "strategy 'incremental' needs a cursor"),
        ("{strategy: file_modified_time}", "tables are not read by strategy 'file_modified_time'"),
        ("{strategy: updated}", "'strategy' cannot be 'updated'"),
        ("{strategy: updated_at, lookback_hours: -1}", "'lookback_hours' must be greater than or equal to 0"),
        ("{strategy: updated_at, cursor_field: email}", "the cursor 'email' holds personal data"),
    ],
)
def test_strategies_that_mean_nothing_are_refused(deployment: Deployment, block: str, said: str) -> None:
    errors = [each for each in deployment.problems(JOB + f"  incremental: {block}\n") if each.severity == "error"]
    assert said in errors[0].message


def test_files_have_no_cursor_columns(deployment: Deployment) -> None:
    found = deployment.only_error(CSV + "  incremental: {strategy: updated_at}\n")
    assert "files are not read by strategy 'updated_at'" in found.message


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("target: {write_mode: append}\n", "append without `source.incremental`"),
        (
            "  incremental: {strategy: updated_at}\ntarget: {write_mode: replace}\n",
            "replace reads and writes everything",
        ),
    ],
)
def test_modes_that_contradict_the_strategy_are_warned_of(deployment: Deployment, extra: str, said: str) -> None:
    assert said in deployment.only_warning(JOB + extra).message
