"""What an expression may read of a lookup, and that one never makes two rows of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.lookup import LookupSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import from_arrow
from dativo_provider.transform.lookups import Lookup, check_unique, read_columns
from dativo_provider.transform.sql import RowTransforms, plan_columns, run_windowed
from tests.support import requirement

FIELDS = (Field("id", "long"), Field("land"), Field("day", "date"), Field("x", "double"))
ROWS = pa.record_batch(
    {
        "id": [1, 2, 3, 4],
        "land": ["de", "at", None, "DE"],
        "day": pa.array([0, 1, 0, 1], pa.date32()),
        "x": [1.0, 2.0, 3.0, 4.0],
    }
)
LANDS = {"Code": ["at", "de", None, None], "Name": ["Austria", "Germany", "x", "y"], "eu": [True, True, None, None]}


def made(name: str, expression: str) -> TransformSpec:
    return TransformSpec(name, name, expression, declared_in="job.yaml:7:5")


def lookup(columns: dict[str, Any], name: str = "lands", **key: str) -> Lookup:
    rows = pa.table(columns)
    fields = tuple(Field(item.name, from_arrow(item.type)) for item in rows.schema)
    return Lookup(LookupSpec(name, key, table=name, declared_in="job.yaml:3:3"), fields, rows)


def applied(expression: str, *lookups: Lookup, before: tuple[TransformSpec, ...] = ()) -> list[Any]:
    steps = RowTransforms((*before, made("t", expression)), FIELDS, lookups)
    return steps.apply(ROWS).data.column("t").to_pylist()


@requirement("ING-16")
@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("lands.Name", ["Germany", "Austria", None, None]),
        ("LANDS.name || ' ' || id", ["Germany 1", "Austria 2", None, None]),
        ("lands.code IS NULL", [False, False, True, True]),
        ("coalesce(lands.eu, false) AND id = 1", [True, False, False, False]),
    ],
)
def test_a_column_of_a_lookup_is_a_value_of_the_row(
    expression: str, values: list[Any], windowed: bool, tmp_path: Path
) -> None:
    lands = lookup(LANDS, Code="land")
    if windowed:
        out = run_windowed([made("t", expression)], iter([ROWS]), 64, str(tmp_path), (), [lands])
        table = pa.Table.from_batches(out)
        assert table.schema.names == [*ROWS.schema.names, "t"]
        assert table.column("t").to_pylist() == values
    else:
        assert applied(expression, lands) == values


@requirement("ING-16")
def test_keys_of_several_columns_match_together_and_two_lookups_stand_side_by_side() -> None:
    rates = lookup(
        {"code": ["de", "de", "at"], "on": pa.array([0, 1, 0], pa.date32()), "rate": [1, 2, 3]},
        "rates", code="land", on="day",
    )  # fmt: skip
    assert applied("rates.rate", rates) == [1, None, None, None]
    assert applied("lands.name || rates.rate", rates, lookup(LANDS, Code="land")) == ["Germany1", None, None, None]


@requirement("ING-16")
def test_a_key_that_a_transformation_makes_anew_finds_another_row_afterwards() -> None:
    steps = [made("a", "lands.name"), made("land", "lower(land)"), made("b", "lands.name"), made("id", "id + 1")]
    data = RowTransforms(steps, FIELDS, [lookup(LANDS, Code="land")]).apply(ROWS).data
    assert data.column("a").to_pylist() == ["Germany", "Austria", None, None]
    assert data.column("b").to_pylist() == ["Germany", "Austria", None, "Germany"]
    assert data.schema.names == [*ROWS.schema.names, "a", "b"]


def test_nothing_is_carried_over_from_one_batch_to_the_next() -> None:
    steps = RowTransforms([made("t", "lands.name")], FIELDS, [lookup(LANDS, Code="land")])
    assert steps.apply(ROWS).data.column("t").to_pylist()[:2] == ["Germany", "Austria"]
    assert steps.apply(ROWS.slice(1, 2)).data.column("t").to_pylist() == ["Austria", None]
    assert steps.apply(ROWS.slice(0, 0)).data.column("t").to_pylist() == []


def test_rows_stay_in_their_order_when_the_lookup_is_larger_or_smaller_than_the_batch() -> None:
    batch = pa.record_batch({"id": pa.array([*range(40_000), *range(100)][::-1], pa.int64())})
    for size in (3, 300_000):
        numbers = lookup({"n": list(range(size))[::-1], "twice": [n * 2 for n in range(size)][::-1]}, "numbers", n="id")
        twice = RowTransforms([made("t", "numbers.twice")], FIELDS[:1], [numbers]).apply(batch).data.column("t")
        assert twice.to_pylist() == [n * 2 if n < size else None for n in batch.column("id").to_pylist()]


@requirement("ING-16")
def test_a_table_whose_key_comes_twice_is_refused_and_null_keys_find_nothing() -> None:
    twice = lookup({"code": ["de", "de", "at", "at", "ch", None, None]}, code="land")
    with pytest.raises(DataError) as refused:
        check_unique(twice, twice.rows, "acme.lands", 128)
    assert "2 values of its key (code) come more than once in acme.lands" in str(refused.value)
    assert refused.value.where == "job.yaml:3:3"
    nulls = lookup(LANDS, Code="land")
    check_unique(nulls, nulls.rows, "acme.lands", 128)


@requirement("ING-16")
@pytest.mark.parametrize(
    ("expression", "key", "words", "where"),
    [
        ("lands", {"Code": "land"}, "'lands' is a lookup, not a value", "job.yaml:7:5"),
        ("lands IS NULL", {"Code": "land"}, "name one of its columns: lands.<column>", "job.yaml:7:5"),
        ("lands.*", {"Code": "land"}, "star", "job.yaml:7:5"),
        ("(SELECT max(name) FROM lands)", {"Code": "land"}, "sub-query", "job.yaml:7:5"),
        ("(SELECT max(name) FROM lookup_lands)", {"Code": "land"}, "sub-query", "job.yaml:7:5"),
        ("lands.name", {"Code": "county"}, "found by 'county', and there is no such column", "job.yaml:7:5"),
        ("lands.name", {"Code": "id"}, "'Code' is string; the row's 'id' is long", "job.yaml:3:3"),
        ("lands.x", {"x": "x"}, "'x' is double; cannot be a key", "job.yaml:3:3"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_where_it_stands(
    expression: str, key: dict[str, str], words: str, where: str
) -> None:
    lands = lookup({**LANDS, "x": [1.0, 2.0, 3.0, 4.0]}, **key)
    with pytest.raises(ConfigurationError) as refused:
        plan_columns([made("t", expression)], FIELDS, [lands])
    assert words in str(refused.value)
    assert refused.value.where == where


def test_a_lookup_may_not_be_called_like_a_column() -> None:
    with pytest.raises(ConfigurationError, match="'land' is a lookup and a column of the row"):
        plan_columns([made("t", "land.name")], FIELDS, [lookup(LANDS, "land", Code="land")])


@requirement("ING-16")
def test_only_the_columns_that_are_read_are_kept() -> None:
    fields = (Field("code"), Field("Name"), Field("secret"))
    spec = LookupSpec("lands", {"CODE": "land"}, table="lands", declared_in="job.yaml:3:3")
    steps = [made("a", "upper(lands.NAME)"), made("b", "id + 1")]
    assert [column.name for column in read_columns(spec, steps, fields, "acme.lands")] == ["code", "Name"]
    with pytest.raises(ConfigurationError, match=r"lookup 'lands' has no column 'nam' \(has: code, Name, secret\)"):
        read_columns(spec, [made("a", "lands.nam")], fields, "acme.lands")
    with pytest.raises(ConfigurationError, match=r"acme\.lands has no column 'key'"):
        read_columns(LookupSpec("lands", {"key": "land"}, declared_in="j:1:1"), steps, fields, "acme.lands")
