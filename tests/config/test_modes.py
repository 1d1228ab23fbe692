"""Options of write modes: read, or refused at their place."""

from __future__ import annotations

import pytest

from dativo_provider.model.job import DeleteFlag, HistorySpec, PartitionSpec
from tests.config.support import CONTRACT, JOB, Deployment
from tests.support import requirement

KEYED = JOB + "  key: [id]\n"
INCREMENTAL = JOB + "  incremental: {cursor_field: updated_at}\n"


@requirement("ING-08", "ING-10")
def test_every_option_of_a_merge_is_read(deployment: Deployment) -> None:
    target = deployment.load(
        KEYED + "target: {write_mode: merge, order_by: updated_at, delete_flag: {column: country, value: gone}, "
        "delete_missing: true, allow_mass_delete: true}\n"
    ).target
    assert (target.mode, target.order_by, target.delete_flag) == ("merge", "updated_at", DeleteFlag("country", "gone"))
    assert (target.delete_missing, target.allow_mass_delete) == (True, True)


def test_a_history_is_read_and_may_be_partitioned_by_its_own_columns(deployment: Deployment) -> None:
    target = deployment.load(
        KEYED + "target: {write_mode: scd2, order_by: updated_at, history: {valid_from: since, track: [country]}, "
        "partitioning: [is_current, month(since)]}\n"
    ).target
    assert target.history == HistorySpec("since", "valid_to", "is_current", ("country",))
    assert target.partitioning == (PartitionSpec("is_current"), PartitionSpec("since", "month"))


@pytest.mark.parametrize(("by", "expected"), [("", ""), (", replace_by: window", "window")])
def test_a_window_to_replace(deployment: Deployment, by: str, expected: str) -> None:
    target = deployment.load(INCREMENTAL + f"target: {{write_mode: delete_insert{by}}}\n").target
    assert (target.mode, target.replace_by) == ("delete_insert", expected)


WRONG = [
    (JOB, "{write_mode: merge}", "write_mode 'merge' tells rows by a key, and stream 'orders' has none"),
    (JOB, "{write_mode: scd2}", "write_mode 'scd2' tells rows by a key"),
    (KEYED, "{write_mode: append, order_by: updated_at}", "'order_by' has no meaning in write_mode 'append'"),
    (KEYED, "{write_mode: replace, delete_missing: true}", "'delete_missing' has no meaning"),
    (KEYED, "{write_mode: replace, delete_flag: {column: country, value: x}}", "'delete_flag' has no meaning"),
    (KEYED, "{write_mode: merge, replace_by: window}", "'replace_by' has no meaning"),
    (KEYED, "{write_mode: merge, history: {is_current: x}}", "'history' has no meaning"),
    (KEYED, "{write_mode: merge, order_by: update_at}", "order_by 'update_at' is not a column"),
    (KEYED, "{write_mode: merge, delete_flag: {column: contry, value: x}}", "delete_flag 'contry' is not a column"),
    (KEYED, "{write_mode: merge, delete_flag: country}", "delete_flag 'country' is string and never True"),
    (KEYED, "{write_mode: merge, delete_flag: {column: id, value: 'x'}}", "delete_flag 'id' is long and never 'x'"),
    (KEYED, "{write_mode: scd2, order_by: amount}", "versions begin at 'amount', which is decimal(12,2)"),
    (KEYED, "{write_mode: scd2, history: {track: [nothing]}}", "tracked column 'nothing' is not a column"),
    (KEYED, "{write_mode: scd2, history: {valid_from: country}}", "adds a column 'country'"),
    (JOB, "{write_mode: delete_insert}", "delete_insert replaces partitions, and the table has none"),
    (JOB, "{write_mode: delete_insert, replace_by: window}", "there is no window of a cursor to replace"),
]


@pytest.mark.parametrize(("job", "target", "said"), WRONG, ids=[said[:40] for *_, said in WRONG])
def test_what_a_mode_cannot_work_with_is_refused_at_its_line(
    deployment: Deployment, job: str, target: str, said: str
) -> None:
    keyless = CONTRACT.replace("primaryKey: true", "primaryKey: false")
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", keyless)
    problem = deployment.only_error(job + f"target: {target}\n")
    assert said in problem.message
    assert problem.path.endswith("orders.yaml")
    assert problem.line == (job + "target:").count("\n") + 1


LATE = [
    ("merge", "id", "'id' is the key of stream 'orders'"),
    ("scd2", "id", "'id' is the key of stream 'orders'"),
    ("append", "id", "'id' is the key of stream 'orders'"),
    ("merge, order_by: amount", "amount", "'amount' is the order of stream 'orders'"),
    ("merge, delete_flag: {column: country, value: x}", "country", "'country' is the delete_flag of stream 'orders'"),
]


@requirement("ING-10", "ING-18")
@pytest.mark.parametrize("expression", ["max(id) OVER ()", "id"])
@pytest.mark.parametrize(("mode", "column", "said"), LATE, ids=[f"{mode} {column}" for mode, column, _ in LATE])
def test_what_tells_rows_apart_is_not_made_from_the_whole_run(
    deployment: Deployment, mode: str, column: str, said: str, expression: str
) -> None:
    windowed = "count(*) OVER ()" if expression == "id" else expression
    job = (
        INCREMENTAL
        + "  key: [id]\n"
        + f"target: {{write_mode: {mode}}}\n"
        + "transformations:\n"
        + f"  - {{name: n, expression: '{windowed}', data_type: bigint}}\n"
        + f"  - {{name: x, column: {column}, expression: '{expression}'}}\n"
    )
    problem = deployment.only_error(job)
    assert said in problem.message
    assert problem.line == job.count("\n")
    assert "before the first with OVER" in problem.remedy


def test_a_key_that_an_expression_of_one_row_makes_is_fine(deployment: Deployment) -> None:
    job = KEYED + (
        "target: {write_mode: merge}\n"
        "transformations:\n"
        "  - {name: x, column: id, expression: 'id + 1'}\n"
        "  - {name: n, expression: 'count(*) OVER (PARTITION BY id)'}\n"
    )
    assert deployment.load(job).target.mode == "merge"


def test_changes_that_an_api_tells_by_events_are_no_window_to_replace(deployment: Deployment) -> None:
    """Only the changed rows come: partitions would lose the others, and old versions would stay beside the new."""
    source = "source: {objects: [customers], connection: {api_key: '${SECRET:stripe}'}, incremental: {strategy: %s}}\n"
    job = f"source_connector: stripe\n{source}target: {{write_mode: delete_insert, partitioning: [created]}}\n"
    assert "no window of a column to replace" in deployment.only_error(job % "updated_at").message
    assert deployment.load(job % "full_refresh").target.mode == "delete_insert"
