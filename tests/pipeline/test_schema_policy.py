"""Every kind of change of the source's schema meets its policy: before a row is read, or row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.errors import DataError, SourceChanged
from dativo_provider.model.run import RunRequest
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.plan import plan
from dativo_provider.pipeline.unknown import UnknownColumns
from dativo_provider.vocabulary import SchemaChange, SchemaPolicy
from tests.pipeline.build import Bench, ids
from tests.support import requirement

FIELDS = (
    Field("id", "long", required=True, declared_in="contracts/orders.yaml:7:5"),
    Field("region", "string", declared_in="contracts/orders.yaml:9:5"),
)


def bench(root: Path, change: SchemaChange, policy: SchemaPolicy, **more: Any) -> Bench:
    fields = more.pop("fields", FIELDS)
    made = Bench(root, fields=fields, **more)
    made.target = {"schema_policies": SchemaPolicies({change: policy}), **made.target}
    return made


def drift(report: Any) -> list[tuple[str, str, str]]:
    return [(each.column, each.change, each.policy) for each in report.plan.drift]


@requirement("SN-09", "ING-20", "DQ-03")
def test_a_new_column_evolves_the_table_and_old_rows_hold_null(tmp_path: Path) -> None:
    made = bench(tmp_path, "new_column", "evolve")
    made.csv("a.csv", "1,eu", header="id,region")
    made.run()
    made.csv("b.csv", "2,us,hello", header="id,region,note")
    report = made.run()
    assert report.error is None
    assert drift(report) == [("note", "new_column", "evolve")]
    assert report.plan is not None
    assert "add column note (string)" in report.plan.table_changes
    assert {row["id"]: row["note"] for row in made.rows()} == {1: None, 2: "hello"}


@requirement("DQ-03")
def test_a_frozen_schema_fails_before_reading_and_names_the_contract(tmp_path: Path) -> None:
    made = bench(tmp_path, "new_column", "freeze")
    made.csv("a.csv", "1,eu,x", header="id,region,note")
    report = made.run()
    assert isinstance(report.error, DataError)
    assert "'note' (string) is new" in report.error.message
    assert report.plan is None
    assert made.rows() == []


def test_a_value_in_a_discarded_column_is_dropped_and_the_row_kept(tmp_path: Path) -> None:
    made = bench(tmp_path, "new_column", "discard_value")
    made.csv("a.csv", "1,eu,x", header="id,region,note")
    report = made.run()
    assert drift(report) == [("note", "new_column", "discard_value")]
    assert "note" not in made.rows()[0]
    assert ids(made.rows()) == [1]


@requirement("DQ-03")
def test_rows_with_a_value_in_an_unknown_column_go_to_the_quarantine_whole(tmp_path: Path) -> None:
    made = bench(tmp_path, "new_column", "discard_row")
    made.csv("a.csv", "1,eu,x", "2,us,", header="id,region,note")
    report = made.run()
    assert ids(made.rows()) == [2]
    (aside,) = made.quarantine()
    assert aside["reasons"] == ["note.unknown"]
    assert '"note":"x"' in aside["raw"].replace(" ", "")
    assert (report.books.extracted, report.books.accepted, report.books.quarantined) == (2, 1, 1)


@pytest.mark.parametrize(("policy", "left"), [("evolve", [1, 2]), ("discard_value", [1, 2]), ("discard_row", [1])])
def test_a_missing_column(tmp_path: Path, policy: SchemaPolicy, left: list[int]) -> None:
    """Files of one run may differ: rows of the file without the column are judged."""
    made = bench(tmp_path, "missing_column", policy)
    made.csv("a.csv", "1,eu", header="id,region")
    made.csv("b.csv", "2", header="id")
    report = made.run()
    assert report.error is None
    assert ids(made.rows()) == left
    assert [row["reasons"] for row in made.quarantine()] == ([["region.missing"]] if policy == "discard_row" else [])


def test_a_frozen_column_that_one_file_lacks_fails_the_run(tmp_path: Path) -> None:
    made = bench(tmp_path, "missing_column", "freeze")
    made.csv("a.csv", "1,eu", header="id,region")
    made.csv("b.csv", "2", header="id")
    report = made.run()
    assert isinstance(report.error, DataError)
    assert "region" in report.error.message
    assert made.rows() == []


def test_a_frozen_column_gone_everywhere_fails_before_reading_at_its_line(tmp_path: Path) -> None:
    made = bench(tmp_path, "missing_column", "freeze")
    made.csv("b.csv", "2", header="id")
    report = made.run()
    assert isinstance(report.error, DataError)
    assert report.error.where == "contracts/orders.yaml:9:5"


def test_a_required_column_that_is_gone_is_refused_whatever_the_policy(tmp_path: Path) -> None:
    made = bench(tmp_path, "missing_column", "discard_value")
    made.csv("b.csv", "eu", header="region")
    report = made.run()
    assert isinstance(report.error, DataError)
    assert report.error.where == "contracts/orders.yaml:7:5"


@pytest.mark.parametrize(
    ("policy", "published"),
    [("discard_value", {1: 5, 2: None}), ("discard_row", {1: 5}), ("evolve", {1: 5}), ("freeze", {1: 5})],
)
def test_a_value_of_another_type(tmp_path: Path, policy: SchemaPolicy, published: dict[int, Any]) -> None:
    """Text is judged value by value; `evolve` and `freeze` leave single values to `schema_validation_mode`."""
    made = bench(tmp_path, "other_type", policy, fields=(FIELDS[0], Field("n", "long")))
    made.csv("a.csv", "1,5", "2,five", header="id,n")
    report = made.run()
    assert report.error is None
    assert {row["id"]: row["n"] for row in made.rows()} == published
    assert report.books.quarantined == 2 - len(published)


def test_a_column_policy_wins_over_the_general_one(tmp_path: Path) -> None:
    made = Bench(tmp_path, fields=FIELDS)
    columns: dict[str, Any] = {"note": {"new_column": "evolve"}}
    made.target = {"schema_policies": SchemaPolicies({"new_column": "discard_value"}, columns)}
    made.csv("a.csv", "1,eu,x,y", header="id,region,note,other")
    made.run()
    assert set(made.rows()[0]) >= {"id", "region", "note"}
    assert "other" not in made.rows()[0]


@requirement("ING-20")
def test_a_renamed_column_is_read_under_either_name(tmp_path: Path) -> None:
    """While the source changes over, files of both kinds come."""
    made = Bench(tmp_path, fields=FIELDS)
    made.csv("a.csv", "1,eu", header="id,region")
    made.run()
    made.fields = (FIELDS[0], Field("area", renamed_from=("region",)))
    made.csv("b.csv", "2,us", header="id,region")
    made.csv("c.csv", "3,asia", header="id,area")
    report = made.run()
    assert report.error is None
    assert {row["id"]: row["area"] for row in made.rows()} == {1: "eu", 2: "us", 3: "asia"}


@requirement("ING-20")
def test_a_dry_run_tells_what_it_would_change_and_changes_nothing(tmp_path: Path) -> None:
    made = bench(tmp_path, "new_column", "evolve")
    made.csv("a.csv", "1,eu", header="id,region")
    made.run()
    before = made.table().metadata_location
    made.csv("b.csv", "2,us,x", header="id,region,note")
    report = made.run(dry_run=True)
    assert report.plan is not None
    assert "add column note (string)" in report.plan.table_changes
    assert made.table().metadata_location == before


@requirement("DQ-03")
def test_the_drift_of_a_run_is_kept_with_its_record(tmp_path: Path) -> None:
    from dativo_provider.store import open_store

    made = bench(tmp_path, "new_column", "evolve")
    made.csv("a.csv", "1,eu,x", header="id,region,note")
    made.run()
    (record,) = open_store(made.context()).runs()
    (found,) = record.drift
    assert (found.column, found.change, found.policy, found.after) == ("note", "new_column", "evolve", "string")
    assert found.advice == "add it to the contract, with its classification"


@pytest.mark.parametrize(("policy", "error"), [("evolve", SourceChanged), ("freeze", DataError)])
def test_a_column_that_appears_after_the_plan_ends_the_run(
    tmp_path: Path, policy: SchemaPolicy, error: type[Exception]
) -> None:
    """The plan is frozen: it could be neither added nor left out without losing it silently."""
    made = bench(tmp_path, "new_column", policy)
    made.csv("a.csv", "1,eu", header="id,region")
    guard = UnknownColumns(plan(made.spec(), "orders", made.context(), RunRequest()), FIELDS)
    guard.evaluate(pa.RecordBatch.from_pydict({"id": ["1"], "region": ["eu"]}))
    with pytest.raises(error, match="late"):
        guard.evaluate(pa.RecordBatch.from_pydict({"id": ["1"], "region": ["eu"], "late": ["x"]}))


@requirement("ING-20")
def test_without_a_contract_the_table_follows_the_source_both_ways(tmp_path: Path) -> None:
    made = Bench(tmp_path, fields=())
    made.csv("a.csv", "1,eu", header="id,region")
    made.run()
    made.csv("b.csv", "2,7", header="id,note")
    report = made.run()
    assert report.error is None
    assert {(row["id"], row["region"], row["note"]) for row in made.rows()} == {(1, "eu", None), (2, None, 7)}
    made.csv("c.csv", "3,asia,1.5", "4,asia,2", header="id,region,note")
    report = made.run()
    assert report.error is None
    assert ids(made.rows()) == [1, 2, 4]
    assert [row["reasons"] for row in made.quarantine()] == [["note.type"]]  # the table holds whole numbers
