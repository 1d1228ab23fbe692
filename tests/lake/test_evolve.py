"""Tables follow contracts by field id: renamed, widened, relaxed, dropped, reordered; older files read as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import DataError, Fenced
from dativo_provider.lake.evolve import plan_changes
from dativo_provider.lake.schema import iceberg_schema
from dativo_provider.model.job import JobSpec, PartitionSpec
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field
from tests.lake.support import Lake, job, settings
from tests.support import requirement

ID = Field("id", "long", required=True)


def lake(home: Path, *fields: Field, dropped: tuple[str, ...] = (), made: JobSpec | None = None) -> Lake:
    base = made or job(key=())
    stream = base.streams[0]
    contract = replace(stream.contract, dropped=dropped)
    return Lake(settings(home), replace(base, streams=(replace(stream, contract=contract),)), fields)


def table(of: Lake) -> Any:
    return of.target.table(of.name())


def rows(of: Lake, **scan: Any) -> list[dict[str, Any]]:
    found = table(of).scan(**scan).to_arrow().to_pylist()
    return sorted(found, key=lambda row: row["id"])


@requirement("ING-20")
def test_a_renamed_column_keeps_the_values_of_old_files_and_snapshots(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("name")).run([{"id": 1, "name": "old"}])
    after = lake(tmp_path, ID, Field("title", renamed_from=("name",)))
    before = table(after).current_snapshot().snapshot_id
    after.run([{"id": 2, "title": "new"}])
    assert rows(after) == [{"id": 1, "title": "old"}, {"id": 2, "title": "new"}]
    assert rows(after, row_filter="title == 'old'") == [{"id": 1, "title": "old"}]
    assert rows(after, snapshot_id=before) == [{"id": 1, "name": "old"}]  # time travel shows the schema of then


def test_a_rename_is_made_once_and_survives_a_chain_of_names(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("a")).run([{"id": 1, "a": "x"}])
    lake(tmp_path, ID, Field("b", renamed_from=("a",))).run([{"id": 2, "b": "y"}])
    last = lake(tmp_path, ID, Field("c", renamed_from=("b", "a")))
    last.run([{"id": 3, "c": "z"}])
    at = table(last).metadata_location
    last.plan()
    assert table(last).metadata_location == at
    assert [row["c"] for row in rows(last)] == ["x", "y", "z"]


def test_a_rename_and_a_widening_and_a_relaxation_in_one_go(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("n", "int", required=True)).run([{"id": 1, "n": 7}])
    after = lake(tmp_path, ID, Field("number", "long", renamed_from=("n",)))
    after.run([{"id": 2, "number": 2**40}, {"id": 3}])
    assert rows(after, row_filter="number == 7") == [{"id": 1, "number": 7}]
    assert [row["number"] for row in rows(after)] == [7, 2**40, None]


def test_parts_of_structs_are_renamed_too(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("s", "struct<a:int,l:list<struct<x:string>>>")).run(
        [{"id": 1, "s": {"a": 1, "l": [{"x": "p"}]}}]
    )
    renamed = (("b", "a"), ("l.y", "x"))
    after = lake(tmp_path, ID, Field("s", "struct<b:long,l:list<struct<y:string,z:int>>>", parts_renamed_from=renamed))
    after.run([{"id": 2, "s": {"b": 2**40, "l": [{"y": "q", "z": 1}]}}])
    assert [row["s"] for row in rows(after)] == [
        {"b": 1, "l": [{"y": "p", "z": None}]},
        {"b": 2**40, "l": [{"y": "q", "z": 1}]},
    ]


def test_a_name_of_the_past_is_not_given_to_a_new_column(tmp_path: Path) -> None:
    """An older contract would split one column's values over two."""
    lake(tmp_path, ID, Field("name")).run([{"id": 1, "name": "old"}])
    lake(tmp_path, ID, Field("title", renamed_from=("name",))).run([{"id": 2, "title": "new"}])
    with pytest.raises(DataError, match="'name' is called 'title' in the table since it was renamed"):
        lake(tmp_path, ID, Field("name", declared_in="c.yaml:7:3")).plan()


@requirement("ING-20")
def test_a_column_gone_from_the_contract_becomes_optional_and_stays(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("must", required=True)).run([{"id": 1, "must": "x"}])
    after = lake(tmp_path, ID)
    after.run([{"id": 2}])
    assert rows(after) == [{"id": 1, "must": "x"}, {"id": 2, "must": None}]


@requirement("ING-20")
def test_a_dropped_column_leaves_the_table_but_not_its_old_snapshots(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("secret", required=True), Field("x")).run([{"id": 1, "secret": "s"}])
    after = lake(tmp_path, ID, Field("x"), dropped=("secret",))
    before = table(after).current_snapshot().snapshot_id
    after.run([{"id": 2}])
    assert rows(after) == [{"id": 1, "x": None}, {"id": 2, "x": None}]
    assert rows(after, snapshot_id=before) == [{"id": 1, "secret": "s", "x": None}]


@pytest.mark.parametrize("transform", ["identity", "bucket[4]"])
def test_a_partition_column_cannot_be_dropped_but_renamed_and_widened(tmp_path: Path, transform: str) -> None:
    first = lake(tmp_path, ID, Field("p", "int"), made=job(key=(), partitioning=(PartitionSpec("p", transform),)))
    first.run([{"id": 1, "p": 7}, {"id": 2, "p": 8}])
    with pytest.raises(DataError, match="'p' cannot be dropped: the table's partitioning"):
        lake(tmp_path, ID, dropped=("p",)).plan()
    part = job(key=(), partitioning=(PartitionSpec("q", transform),))
    after = lake(tmp_path, ID, Field("q", "long", renamed_from=("p",)), made=part)
    after.run([{"id": 3, "q": 2**40}, {"id": 4, "q": 7}])
    assert [row["id"] for row in rows(after, row_filter="q == 7")] == [1, 4]
    assert [row["id"] for row in rows(after, row_filter="q > 7")] == [2, 3]


def test_columns_stand_in_the_contracts_order_unless_jobs_share_the_table(tmp_path: Path) -> None:
    system = job(key=(), system_columns=True)
    a, b, c = Field("a"), Field("b"), Field("c")
    lake(tmp_path, ID, a, b, made=system).plan()
    after = lake(tmp_path, c, b, ID, made=system)
    after.plan()
    names = table(after).schema().column_names
    assert names == ["c", "b", "id", "a", "_dativo_run", "_dativo_loaded_at", "_dativo_source"]
    stream = replace(after.spec, name="other")
    after.target.table(after.name()).transaction().set_properties({"dativo.state.other.x": "{}"}).commit_transaction()
    lake(tmp_path, ID, a, b, c, made=replace(system, streams=(stream,))).plan()
    assert table(after).schema().column_names == names


def test_nullability_is_kept_where_the_policy_says_freeze() -> None:
    frozen = SchemaPolicies({"nullability": "freeze"})
    schema = iceberg_schema([Field("c", "long", required=True)])
    for fields, says in (
        ([Field("c", "long", declared_in="o.yaml:9:5")], "o.yaml:9:5"),
        ([Field("d", "long")], "missing in the contract"),
    ):
        with pytest.raises(DataError, match=says):
            plan_changes(schema, fields, "t", frozen)


@requirement("ING-20")
def test_a_clash_names_the_line_of_the_contract() -> None:
    with pytest.raises(DataError) as caught:
        plan_changes(
            iceberg_schema([Field("c", "long")]), [Field("c", "int", declared_in="contracts/o.yaml:14:5")], "t"
        )
    assert caught.value.where == "contracts/o.yaml:14:5"


# -- runs that race ------------------------------------------------------------------------------------


def test_files_staged_before_a_rename_and_a_widening_publish_into_the_new_columns(tmp_path: Path) -> None:
    old = lake(tmp_path, ID, Field("n", "int"))
    plan = old.plan()
    staged = old.extract(plan, [{"id": 1, "n": 7}])
    after = lake(tmp_path, ID, Field("number", "long", renamed_from=("n",)))
    after.plan()
    old.publish(plan, [staged])
    assert rows(after, row_filter="number == 7") == [{"id": 1, "number": 7}]


def test_files_staged_before_their_column_was_dropped_are_refused(tmp_path: Path) -> None:
    old = lake(tmp_path, ID, Field("x"))
    plan = old.plan()
    staged = old.extract(plan, [{"id": 1, "x": "would be lost"}])
    lake(tmp_path, ID, dropped=("x",)).plan()
    with pytest.raises(Fenced, match="hold x, which the table has dropped"):
        old.publish(plan, [staged])


def test_a_run_planned_before_a_rename_does_not_stage_after_it(tmp_path: Path) -> None:
    old = lake(tmp_path, ID, Field("n"))
    plan = old.plan()
    lake(tmp_path, ID, Field("m", renamed_from=("n",))).plan()
    with pytest.raises(Fenced, match="no longer has the columns n"):
        old.extract(plan, [{"id": 1, "n": "x"}])


@pytest.mark.parametrize("kind", ["struct<{}:int>", "list<struct<{}:int>>", "map<string,struct<{}:int>>"])
def test_a_run_planned_before_a_part_was_renamed_does_not_lose_it(tmp_path: Path, kind: str) -> None:
    """A cast between structs drops parts without a word."""
    old = lake(tmp_path, ID, Field("s", kind.format("a")))
    plan = old.plan()
    lake(tmp_path, ID, Field("s", kind.format("b"), parts_renamed_from=(("b", "a"),))).plan()
    value: Any = {"a": 1}
    value = [value] if kind.startswith("list") else [("k", value)] if kind.startswith("map") else value
    with pytest.raises(Fenced, match="no longer has the columns s"):
        old.extract(plan, [{"id": 1, "s": value}])


@requirement("ING-20")
def test_a_crash_between_evolving_and_publishing_costs_nothing(tmp_path: Path) -> None:
    lake(tmp_path, ID).run([{"id": 1}])
    after = lake(tmp_path, ID, Field("x"))
    after.extract(after.plan(), [{"id": 2, "x": "lost with the process"}])
    again = lake(tmp_path, ID, Field("x"))
    assert again.target.changes(again.job, again.spec, again.fields) == ()
    again.run([{"id": 2, "x": "read again"}])
    assert rows(again) == [{"id": 1, "x": None}, {"id": 2, "x": "read again"}]


def test_what_would_change_is_told_before_it_is_done(tmp_path: Path) -> None:
    lake(tmp_path, ID, Field("n", "int", required=True), Field("a"), Field("gone")).run([{"id": 1, "n": 1}])
    wanted = lake(tmp_path, ID, Field("n", "long"), Field("b", renamed_from=("a",)), Field("c"), dropped=("gone",))
    told = wanted.target.changes(wanted.job, wanted.spec, wanted.fields)
    assert told == (
        "make column n optional",
        "widen column n from int to long",
        "rename column a to b",
        "add column c (string)",
        "drop column gone",
    )
    wanted.plan()
    assert wanted.target.changes(wanted.job, wanted.spec, wanted.fields) == ()
