"""Columns become Iceberg columns, and tables follow a contract only as far as no data is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.types import FixedType, LongType, NestedField, UUIDType

from dativo_provider.errors import ConfigurationError, DataError, Fenced
from dativo_provider.lake.evolve import plan_changes
from dativo_provider.lake.schema import arrow_schema, iceberg_schema, iceberg_type, table_fields, type_name
from dativo_provider.lake.table import table_name
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from tests.lake.support import FIELDS, Lake, job, settings
from tests.support import requirement

NAMES = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
LEAVES = st.sampled_from(
    ["boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "string", "binary"]
) | st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: f"decimal({p},{s})"))
TYPES = st.recursive(
    LEAVES,
    lambda inner: (
        inner.map(lambda t: f"list<{t}>")
        | inner.map(lambda t: f"map<string,{t}>")
        | st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(
            lambda parts: "struct<" + ",".join(f"{k}:{v}" for k, v in parts.items()) + ">"
        )
    ),
    max_leaves=6,
)


@given(TYPES)
def test_types_survive_the_round_trip(name: str) -> None:
    assert type_name(iceberg_type(name)) == name


@given(st.dictionaries(NAMES, TYPES, min_size=1, max_size=4))
def test_arrow_schemas_carry_the_same_ids_as_pyiceberg_gives_them(columns: dict[str, str]) -> None:
    schema = iceberg_schema([Field(name, kind) for name, kind in columns.items()])
    ours, theirs = arrow_schema(schema), schema_to_pyarrow(schema)
    assert _ids(ours) == _ids(theirs)
    assert len(set(_ids(ours))) == len(_ids(ours))
    assert [field.type for field in ours] == [to_arrow(kind) for kind in columns.values()]


def _ids(schema: Any) -> list[bytes]:
    found: list[bytes] = []

    def visit(field: pa.Field) -> None:
        found.append((field.metadata or {})[b"PARQUET:field_id"])
        kind = field.type
        if pa.types.is_struct(kind):
            for inner in kind:
                visit(inner)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            visit(kind.value_field)
        elif pa.types.is_map(kind):
            visit(kind.key_field)
            visit(kind.item_field)

    for field in schema:
        visit(field)
    return found


def test_uuid_is_text_for_every_engine() -> None:
    assert type_name(iceberg_type("uuid")) == "string"
    for kind in (UUIDType(), FixedType(4)):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            arrow_schema(Schema(NestedField(1, "u", kind)))


def test_required_and_descriptions_reach_the_table(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), fields=(Field("id", "long", required=True, description="the key"),))
    lake.plan()
    column = lake.target.table(lake.name()).schema().find_field("id")
    assert (column.required, column.doc) == (True, "the key")


def test_system_columns_are_there_unless_switched_off(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(system_columns=True))
    lake.plan()
    names = lake.target.table(lake.name()).schema().column_names
    assert names == ["id", "value", "at", "_dativo_run", "_dativo_loaded_at", "_dativo_source"]


@pytest.mark.parametrize("names", [("id", "ID"), ("_dativo_run",)])
def test_names_that_clash_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match=names[0].lower()):
        table_fields([Field(name) for name in names], system_columns=True)


@pytest.mark.parametrize("bad", ["../acme", "a.b", "", "a/b", "-a", "a b", "..", "é"])
def test_names_that_could_leave_the_warehouse_are_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="table name"):
        table_name(job(), bad)
    if bad:
        with pytest.raises(ConfigurationError, match="namespace name"):
            table_name(job(namespace=bad), "orders")


def test_the_default_namespace_is_the_tenant_and_its_domain() -> None:
    assert table_name(job("acme-corp"), "orders") == "acme_corp.orders"
    assert table_name(job(), "orders", "Sales") == "acme_sales.orders"
    assert table_name(job(namespace="own"), "orders", "Sales") == "own.orders"


# -- evolution ----------------------------------------------------------------------------------------


def evolve(home: Path, before: tuple[Field, ...], after: tuple[Field, ...], row: dict[str, Any]) -> Lake:
    Lake(settings(home), job(key=()), before).run([row])
    return Lake(settings(home), job(key=()), after)


def test_equal_fields_change_nothing(tmp_path: Path) -> None:
    lake = evolve(tmp_path, FIELDS, FIELDS, {"id": 1})
    before = lake.target.table(lake.name()).metadata_location
    lake.plan()
    assert lake.target.table(lake.name()).metadata_location == before


@requirement("ING-20")
def test_an_optional_column_is_added_and_old_rows_hold_null(tmp_path: Path) -> None:
    lake = evolve(tmp_path, FIELDS, (*FIELDS, Field("more", "decimal(9,2)", description="new")), {"id": 1})
    lake.run([{"id": 2, "more": 1}])
    assert lake.ids() == [1, 2]
    assert lake.target.table(lake.name()).schema().find_field("more").doc == "new"


def test_nested_columns_are_added_too(tmp_path: Path) -> None:
    before = (Field("s", "struct<a:int,l:list<struct<x:int>>>"),)
    after = (Field("s", "struct<a:long,b:string,l:list<struct<x:long,y:string>>>"),)
    lake = evolve(tmp_path, before, after, {"s": {"a": 1, "l": [{"x": 1}]}})
    lake.run([{"s": {"a": 2**40, "b": "b", "l": [{"x": 2**40, "y": "y"}]}}])
    rows = lake.target.table(lake.name()).scan().to_arrow()["s"].to_pylist()
    assert {"a": 1, "b": None, "l": [{"x": 1, "y": None}]} in rows
    assert {"a": 2**40, "b": "b", "l": [{"x": 2**40, "y": "y"}]} in rows


@requirement("REG-10", "ING-20")
def test_widened_columns_still_answer_filtered_scans(tmp_path: Path) -> None:
    """Files written before hold four-byte bounds; on PyIceberg 0.11 every filter failed on them."""
    before = (Field("n", "int"), Field("f", "float"), Field("d", "decimal(5,2)"))
    after = (Field("n", "long"), Field("f", "double"), Field("d", "decimal(12,2)"))
    lake = evolve(tmp_path, before, after, {"n": 3, "f": 1.5, "d": 1})
    lake.run([{"n": 2**40, "f": 2.5, "d": 2}])
    table = lake.target.table(lake.name())
    for condition, rows in {"n == 3": 1, "n > 100": 1, "f < 2.0": 1, "f > 0.1": 2, "n == 4": 0}.items():
        assert table.scan(row_filter=condition).to_arrow().num_rows == rows, condition
    assert table.inspect.files().num_rows == 2


def test_a_column_the_contract_dropped_stays_and_holds_null(tmp_path: Path) -> None:
    lake = evolve(tmp_path, FIELDS, FIELDS[:1], {"id": 1, "value": "kept"})
    lake.run([2])
    values = lake.target.table(lake.name()).scan().to_arrow()["value"].to_pylist()
    assert sorted(values, key=str) == [None, "kept"]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (Field("c", "long"), Field("c", "int"), ["'c' is long", "narrower int", "declare long"]),
        (Field("c", "string"), Field("c", "long"), ["'c' is string", "long", "do not fit"]),
        (Field("c", "decimal(9,2)"), Field("c", "decimal(9,3)"), ["decimal(9,2)", "decimal(9,3)"]),
        (Field("c", "decimal(9,2)"), Field("c", "decimal(8,2)"), ["narrower decimal(8,2)"]),
        (Field("c", "timestamp"), Field("c", "timestamptz"), ["timestamp ", "timestamptz"]),
        (Field("c", "list<long>"), Field("c", "list<int>"), ["'c.element' is long"]),
        (Field("c", "map<int,int>"), Field("c", "map<long,int>"), ["'c.key' is int"]),
        (Field("c", "struct<a:long>"), Field("c", "struct<a:string>"), ["'c.a' is long"]),
        (Field("c", "long"), Field("C", "long"), ["called 'c' in the table"]),
    ],
)  # fmt: skip
def test_a_change_that_would_lose_data_is_refused_by_name(before: Field, after: Field, says: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        plan_changes(iceberg_schema([before]), [after], "acme.orders")
    for part in ("acme.orders", *says):
        assert part in str(caught.value)


def test_all_clashes_are_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        plan_changes(
            iceberg_schema([Field("a", "long"), Field("b", "long")]), [Field("a", "int"), Field("b", "date")], "t"
        )
    assert "'a'" in str(caught.value)
    assert "'b'" in str(caught.value)


def test_a_stricter_contract_leaves_the_table_as_it_is() -> None:
    """Older rows may hold NULL; the contract's own check guards the new ones."""
    assert plan_changes(iceberg_schema([Field("c", "long")]), [Field("c", "long", required=True)], "t") == ()


@requirement("ING-20")
def test_a_refused_change_leaves_the_table_untouched(tmp_path: Path) -> None:
    wanted = (Field("id", "long", required=True), Field("value", "long"), Field("at", "timestamptz"), Field("new"))
    lake = evolve(tmp_path, FIELDS, wanted, {"id": 1})
    with pytest.raises(DataError):
        lake.plan()
    assert lake.target.table(lake.name()).schema().column_names == ["id", "value", "at"]


def test_processes_that_evolve_one_table_at_once_all_succeed(tmp_path: Path) -> None:
    Lake(settings(tmp_path)).run([1])
    gate = threading.Barrier(3)

    def add(number: int) -> None:
        lake = Lake(settings(tmp_path), fields=(*FIELDS, Field(f"c{number}")))
        lake.target.table("acme.orders")
        gate.wait()
        lake.plan()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add, range(3)))
    names = Lake(settings(tmp_path)).target.table("acme.orders").schema().column_names
    assert sorted(names) == ["at", "c0", "c1", "c2", "id", "value"]


def test_files_staged_before_a_required_column_came_are_refused(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    plan = lake.plan()
    made = lake.extract(plan, [1])
    update = lake.target.table(plan.table).update_schema(allow_incompatible_changes=True)
    update.add_column("must", LongType(), required=True)
    update.commit()
    with pytest.raises(Fenced, match="lack must"):
        lake.publish(plan, [made])


def test_files_staged_before_an_optional_column_came_are_fine(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    plan = lake.plan()
    made = lake.extract(plan, [1])
    Lake(settings(tmp_path), fields=(*FIELDS, Field("late"))).plan()
    lake.publish(plan, [made])
    assert lake.ids() == [1]


def test_another_partitioning_than_the_tables_is_refused(tmp_path: Path) -> None:
    from dativo_provider.model.job import PartitionSpec

    Lake(settings(tmp_path), job(partitioning=(PartitionSpec("at", "day"),))).run([1])
    Lake(settings(tmp_path), job()).run([2])  # no wish: as the table is
    with pytest.raises(ConfigurationError, match=r"partitioned by day\(at\), the job wants month\(at\)"):
        Lake(settings(tmp_path), job(partitioning=(PartitionSpec("at", "month"),))).plan()


def test_a_personal_cursor_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    from dativo_provider.model.job import IncrementalSpec

    made = job()
    stream = replace(made.streams[0], incremental=IncrementalSpec(cursor_field="email"))
    lake = Lake(settings(tmp_path), replace(made, streams=(stream,)), (*FIELDS, Field("email", classification="PII")))
    with pytest.raises(ConfigurationError, match="personal data"):
        lake.plan()
