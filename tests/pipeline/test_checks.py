"""Checks through the whole pipeline: what is set aside, what blocks, and what was published before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ContractViolation
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.job import DeleteFlag
from dativo_provider.model.run import RunRequest
from dativo_provider.model.stream import Field
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.run import StreamReport
from dativo_provider.quality.metrics.uniqueness import lint_scopes
from tests.pipeline.build import Bench, ids
from tests.support import requirement

UNIQUE: dict[str, Any] = {
    "name": "unique", "type": "unique", "column": "id", "scope": "table", "on_violation": "block",
}  # fmt: skip


def blocked(report: StreamReport) -> bool:
    return isinstance(report.error, ContractViolation)


def result_of(report: StreamReport, check: str) -> CheckResult:
    assert report.verdict is not None
    (found,) = (result for result in report.verdict.results if result.check_id == check)
    return found


@requirement("DQ-05", "DQ-07")
def test_rows_that_break_a_condition_go_to_the_quarantine_with_its_name(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path, rules=[{"id": "cheap", "type": "condition", "expression": "amount < 10", "where": "region = 'north'"}]
    )
    bench.csv("a.csv", "1,north,1.00,", "2,north,11.00,", "3,south,11.00,", "4,,11.00,")
    outcome = bench.run()
    assert ids(bench.rows()) == [1, 3, 4]
    (aside,) = bench.quarantine()
    assert aside["reasons"] == ["cheap"]
    result = result_of(outcome, "cheap")
    assert (result.evaluated, result.failed, result.evaluated_by) == (2, 1, "stream")


@requirement("DQ-05", "DQ-11")
def test_a_query_over_staged_rows_blocks_before_anything_is_visible(tmp_path: Path) -> None:
    rule = {"type": "sql", "query": "SELECT sum(amount) FROM ${table}", "max": 5}
    bench = Bench(tmp_path, rules=[rule])
    bench.csv("a.csv", "1,north,3.00,")
    assert bench.run().error is None
    bench.csv("b.csv", "2,north,3.00,", "3,north,3.00,")
    assert blocked(bench.run())
    assert ids(bench.rows()) == [1]


@requirement("DQ-06", "DQ-19")
def test_a_key_that_is_published_already_is_a_duplicate(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[UNIQUE], stream={})
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    assert bench.run().error is None
    bench.csv("b.csv", "2,north,1.00,", "3,north,1.00,", "3,north,2.00,")
    outcome = bench.run()
    assert blocked(outcome)
    result = result_of(outcome, "unique")
    assert result.failed == 2
    assert "1 rows repeat the id of another row of this run; 1 rows have a key (id) that" in result.message
    assert ids(bench.rows()) == [1, 2]
    (tmp_path / "data" / "b.csv").unlink()
    bench.csv("c.csv", "4,north,1.00,")
    assert bench.run().error is None


@requirement("DQ-06", "DQ-19")
def test_rows_of_this_very_plan_do_not_count_against_it(tmp_path: Path) -> None:
    """A worker died after the commit, or somebody clears the audit of a run that has published."""
    bench = Bench(tmp_path, rules=[UNIQUE])
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    bench.run()
    bench.csv("b.csv", "3,north,1.00,")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    for piece in plan.slices:
        steps.extract(plan.path, piece.index, ctx)
    assert steps.audit(plan.path, ctx).decision == "pass"
    steps.publish(plan.path, ctx)
    assert ids(bench.rows()) == [1, 2, 3]
    assert steps.audit(plan.path, bench.context()).decision == "pass"
    assert steps.publish(plan.path, bench.context()).outcome == "already"


@requirement("DQ-06")
def test_a_table_that_is_replaced_holds_no_key_against_the_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[UNIQUE], target={"mode": "replace"})
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    assert [bench.run().error, bench.run().error] == [None, None]
    bench.csv("b.csv", "2,north,1.00,")
    assert blocked(bench.run())


@requirement("DQ-06")
def test_values_are_looked_up_in_a_published_table_of_the_tenant(tmp_path: Path) -> None:
    """The stream's own table here, where rows of the same run count as well."""
    rule = {"type": "reference", "column": "parent", "table": "orders", "to": "id"}
    fields = (Field("id", "long", required=True), Field("parent", "long"))
    bench = Bench(tmp_path, rules=[rule], fields=fields)
    bench.csv("a.csv", "1,", "2,1", "3,2", header="id,parent")
    assert bench.run().error is None
    bench.csv("b.csv", "4,3", "5,4", header="id,parent")
    assert bench.run().error is None
    bench.csv("c.csv", "6,7", header="id,parent")
    outcome = bench.run()
    assert blocked(outcome)
    assert outcome.verdict is not None
    (found,) = [result for result in outcome.verdict.results if result.name == "check 0"]
    assert found.message.endswith("; 0 of 2 published files read (bounds or partitions rule out 2)")
    assert ids(bench.rows()) == [1, 2, 3, 4, 5]


@requirement("DQ-06")
@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("double", ["1.5", "NaN"], ["NaN", "2.5"]),
        ("boolean", ["true"], ["true", "false"]),
        ("date", ["2024-01-01", "9999-12-31"], ["9999-12-31", "2024-01-02"]),
        ("timestamptz", ["2024-01-01T00:00:00Z"], ["2024-01-01T01:00:00+01:00", "2024-01-02T00:00:00Z"]),
        ("decimal(9,2)", ["1.00", "2.50"], ["2.5", "3.00"]),
        ("string", ["a", "ä"], ["ä", "z"]),
    ],
)
def test_published_keys_of_every_type_are_found(tmp_path: Path, kind: str, first: list[str], second: list[str]) -> None:
    rule = {**UNIQUE, "column": "key"}
    bench = Bench(tmp_path, rules=[rule], fields=(Field("key", kind),))
    bench.csv("a.csv", *first, header="key")
    assert bench.run().error is None
    bench.csv("b.csv", *second, header="key")
    outcome = bench.run()
    assert blocked(outcome)
    assert result_of(outcome, "unique").failed == 1


ASIDE: dict[str, Any] = {"id": "unique", "type": "uniqueness", "columns": ["id"], "severity": "error"}


@requirement("DQ-06", "DQ-19", "SN-02")
def test_rows_that_repeat_a_key_are_quarantined_and_not_loaded_twice(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[ASIDE])
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,", "1,south,2.00,", "1,north,1.00,")
    bench.csv("b.csv", "3,north,1.00,", "2,south,5.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert ids(bench.rows()) == [1, 2, 3]
    assert {row["id"]: row["amount"] for row in bench.rows()}[1] == 1
    assert [row["reasons"] for row in bench.quarantine()] == [["unique"]] * 3
    assert len({row["row_id"] for row in bench.quarantine()}) == 3
    assert {row["source_reference"].rpartition("/")[2].partition(":")[0] for row in bench.quarantine()} <= {
        "a.csv",
        "b.csv",
    }
    assert (outcome.books.extracted, outcome.books.accepted, outcome.books.quarantined) == (6, 3, 3)
    result = result_of(outcome, "unique")
    assert (result.outcome, result.failed, result.evaluated, result.evaluated_by) == ("failed", 3, 6, "scan")
    assert outcome.verdict is not None
    assert outcome.verdict.decision == "quarantine"


@requirement("DQ-06", "DQ-19")
def test_rows_whose_key_is_published_are_quarantined_all_of_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[{**ASIDE, "scope": "table"}])
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    bench.run()
    bench.csv("b.csv", "2,north,9.00,", "3,north,1.00,", "2,south,9.00,", "3,south,9.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert ids(bench.rows()) == [1, 2, 3]
    assert len(bench.quarantine()) == 3
    assert all(row["amount"] == 1 for row in bench.rows())


@requirement("DQ-06", "SN-02")
def test_an_audit_that_is_repeated_sets_the_same_rows_aside_once(tmp_path: Path) -> None:
    """Its worker may die at any point; the files it has written count only once its manifest names them."""
    bench = Bench(tmp_path, rules=[{**ASIDE, "scope": "table"}])
    bench.csv("a.csv", "1,north,1.00,", "1,south,2.00,", "2,north,1.00,")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    for piece in plan.slices:
        steps.extract(plan.path, piece.index, ctx)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "add_manifest", _dies)
        with pytest.raises(_Died):
            steps.audit(plan.path, bench.context())
    first = steps.audit(plan.path, bench.context())
    again = steps.audit(plan.path, bench.context())
    assert (first.decision, again.decision) == ("quarantine", "quarantine")
    assert again.results == first.results
    steps.publish(plan.path, bench.context())
    assert steps.audit(plan.path, bench.context()).results == first.results
    assert steps.publish(plan.path, bench.context()).outcome == "already"
    assert ids(bench.rows()) == [1, 2]
    assert len(bench.quarantine()) == 1


class _Died(BaseException):
    """Nothing catches a kill."""


def _dies(*_: Any) -> None:
    raise _Died


@requirement("DQ-06")
def test_where_nothing_repeats_nothing_is_written_anew(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[ASIDE])
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    outcome = bench.run()
    assert result_of(outcome, "unique").outcome == "passed"
    assert bench.quarantine() == []
    assert list(bench.home.rglob("*without-repeats*")) == []


@requirement("DQ-11")
def test_a_uniqueness_check_that_cannot_be_evaluated_is_an_error_and_blocks(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[{**ASIDE, "where": "region::INTEGER > 1"}])
    bench.csv("a.csv", "1,north,1.00,", "1,north,1.00,")
    outcome = bench.run()
    assert blocked(outcome)
    assert "could not be evaluated: Conversion Error" in str(outcome.error)


@requirement("DQ-06")
def test_where_rows_of_one_key_are_merged_no_row_can_be_blamed_and_the_run_blocks(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=[{**ASIDE, "columns": ["region"]}], target={"mode": "merge"}, stream={"key": ("id",)})
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    assert blocked(bench.run())


@requirement("DQ-06", "DQ-19")
def test_a_row_may_repeat_two_keys_and_a_key_may_have_any_name(tmp_path: Path) -> None:
    fields = (Field("id", "long", required=True), Field("place", "long"))
    rules = [ASIDE, {**ASIDE, "id": "places", "columns": ["place"]}]
    bench = Bench(tmp_path, rules=rules, fields=fields)
    bench.csv("a.csv", "1,1", "1,1", "2,1", "3,3", "3,4", header="id,place")
    bench.csv("b.csv", "4,5", "5,6", header="id,place")
    bench.csv("c.csv", "4,6", header="id,place")
    outcome = bench.run()
    assert outcome.error is None
    assert ids(bench.rows()) == [1, 3, 4, 5]
    assert sorted(row["reasons"] for row in bench.quarantine()) == [
        ["places"], ["places", "unique"], ["places", "unique"], ["unique"],
    ]  # fmt: skip
    assert outcome.books.reasons == {"unique": 3, "places": 3}


OVER_ROWS: list[dict[str, Any]] = [
    {"type": "failed_rows", "query": "SELECT * FROM {table} WHERE amount < 0"},
    {"type": "sql", "query": "SELECT count(*) FROM {table}", "min": 1},
    {"type": "aggregate", "function": "distinct_count", "column": "region", "max": 5},
    {"type": "aggregate", "function": "avg", "column": "amount", "max": 5},
    {"type": "reference", "column": "id", "table": "orders", "to": "id"},
    {"type": "unique", "columns": ["amount", "id"]},
]


@requirement("DQ-05", "ING-10")
def test_a_run_that_only_deletes_has_no_rows_to_judge(tmp_path: Path) -> None:
    target = {"mode": "merge", "delete_flag": DeleteFlag("region", "gone")}
    bench = Bench(tmp_path, rules=OVER_ROWS, target=target, stream={"key": ("id",)})
    bench.csv("a.csv", *(f"{n},north,1.00," for n in range(30)))
    assert bench.run().error is None
    bench.csv("b.csv", "1,gone,1.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert outcome.verdict is not None
    named = [result for result in outcome.verdict.results if result.name.startswith("check")]
    assert {result.outcome for result in named} == {"skipped", "passed"}
    assert len(bench.rows()) == 29


@requirement("DQ-06", "DQ-19")
def test_a_key_column_that_is_new_is_held_against_older_rows_that_have_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.csv("a.csv", "1,north,1.00,", "2,north,1.00,")
    assert bench.run().error is None
    bench.fields = (*bench.fields, Field("code"))
    bench.rules = [{**UNIQUE, "column": "code"}]
    bench.csv("b.csv", "3,north,1.00,,x1", "4,north,1.00,,x2", header="id,region,amount,updated_at,code")
    assert bench.run().error is None
    bench.csv("c.csv", "5,north,1.00,,x2", header="id,region,amount,updated_at,code")
    assert blocked(bench.run())
    bench.csv("c.csv", "5,north,1.00,,x3", header="id,region,amount,updated_at,code")
    (tmp_path / "data" / "c.csv").rename(tmp_path / "data" / "d.csv")
    outcome = bench.run()
    assert outcome.error is None
    looked = "1 of 2 published files read (bounds or partitions rule out 1)"
    assert result_of(outcome, "unique").message == looked


@requirement("DQ-06", "DQ-19")
def test_in_a_merge_the_key_is_unique_in_the_table_and_other_columns_cannot_be_told(tmp_path: Path) -> None:
    """A replayed row brings its key again, which is what a merge is for."""
    rules = [{**UNIQUE, "name": "key"}, {**UNIQUE, "name": "region", "column": "region"}]
    bench = Bench(tmp_path, rules=rules, target={"mode": "merge"}, stream={"key": ("id",)})
    bench.csv("a.csv", "1,north,1.00,", "2,south,1.00,")
    assert bench.run().error is None
    bench.csv("b.csv", "2,south,5.00,", "3,west,1.00,")
    outcome = bench.run()
    assert outcome.error is None
    assert result_of(outcome, "key").outcome == "passed"
    assert result_of(outcome, "region").outcome == "not_evaluated"
    checks = steps.plan(bench.spec(), "orders", bench.context(), RunRequest()).checks
    for mode, key, refused in (
        ("merge", ("id",), 1),
        ("scd2", ("id",), 2),
        ("delete_insert", (), 2),
        ("append", (), 0),
    ):
        assert len(lint_scopes(checks, mode, key)) == refused, mode  # type: ignore[arg-type]
    (told,) = lint_scopes(checks, "merge", ("id",))
    assert "scope: table cannot be judged in mode merge" in told.message
