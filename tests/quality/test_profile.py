from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.books import Books
from dativo_provider.model.run import dump, load
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.profile.measure import profile
from dativo_provider.quality.profile.model import Histogram, Profile
from dativo_provider.quality.profile.terms import metric_sql
from tests.support import requirement


def profiled(fields: tuple[Field, ...], ranges: Any = None, **columns: list[Any]) -> Profile:
    data = pa.table({f.name: pa.array(columns[f.name], to_arrow(f.type)) for f in fields})
    rows = data.num_rows

    def read(names: Any) -> Any:
        yield from data.select(list(names)).to_batches(max_chunksize=3)

    books = Books(extracted=rows, accepted=rows, produced=rows)
    return profile(Scene(read, books, dt.datetime.now(dt.UTC), Settings("/nowhere"), fields), ranges)


@requirement("DQ-12")
def test_numbers_have_their_range_shape_and_quantiles() -> None:
    found = profiled((Field("n", "long"),), n=[*range(100), None]).column("n")
    assert found is not None
    assert (found.nulls, found.null_share, found.min, found.max) == (1, pytest.approx(1 / 101, abs=1e-6), 0, 99)
    assert (found.mean, found.sum) == (49.5, 4950.0)
    assert found.stddev == pytest.approx(29.01, abs=0.01)
    assert found.quantiles["0.5"] == pytest.approx(49.5, abs=2)
    assert found.distinct == pytest.approx(100, rel=0.1)
    assert found.histogram is not None
    assert sum(found.histogram.counts) == 100
    assert found.histogram.counts[0] == 5


def test_frequent_values_are_counted_exactly_and_unique_ones_not_named() -> None:
    fields = (Field("status"), Field("code"), Field("open", "boolean"))
    rows = {"status": ["paid"] * 7 + ["it's"] * 3, "code": [f"c{n}" for n in range(10)], "open": [True] * 9 + [None]}
    found = profiled(fields, **rows)
    assert [(each.value, each.count) for each in found.columns[0].top] == [("paid", 7), ("it's", 3)]
    assert found.columns[1].top == ()
    assert [(each.value, each.count) for each in found.columns[2].top] == [("true", 9)]
    assert (found.columns[0].min_length, found.columns[0].max_length) == (4, 4)


@requirement("DQ-12")
def test_of_personal_columns_nothing_is_told_but_counts() -> None:
    fields = (Field("email", classification="pii"), Field("salary", "double", classification="personal"))
    found = profiled(fields, email=["a@example.com"] * 5, salary=[1.0, 2.0, 3.0, 4.0, None])
    assert b"example.com" not in dump(found)
    salary = found.columns[1]
    assert (salary.nulls, salary.distinct, salary.personal) == (1, 4, True)
    assert (salary.min, salary.mean, salary.quantiles, salary.histogram) == (None, None, {}, None)
    assert set(found.metrics()) == {
        "null_share(email)", "distinct(email)", "null_share(salary)", "distinct(salary)"
    }  # fmt: skip


def test_values_that_are_no_numbers_do_not_spoil_the_rest() -> None:
    found = profiled((Field("x", "double"),), x=[1.0, 3.0, float("nan"), float("inf"), None]).columns[0]
    assert (found.mean, found.min, found.max, found.not_finite, found.nulls) == (2.0, 1.0, 3.0, 2, 1)


def test_other_types_are_told_as_json() -> None:
    fields = (
        Field("price", "decimal(10,2)"), Field("day", "date"), Field("at", "timestamptz"),
        Field("tags", "list<string>"), Field("same", "int"),
    )  # fmt: skip
    found = profiled(
        fields, price=[Decimal("1.50"), Decimal("3.00")], day=[dt.date(2026, 1, 1)] * 2,
        at=[dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * 2, tags=[["a"], None], same=[4, 4],
    )  # fmt: skip
    price, day, at, tags, same = found.columns
    assert (price.min, price.max, price.mean) == (1.5, 3, 2.25)
    assert (day.min, at.max) == ("2026-01-01", "2026-01-01T00:00:00+00:00")
    assert (tags.nulls, tags.distinct) == (1, None)
    assert same.histogram == Histogram(4.0, 4.0, (2, *[0] * 19))
    assert load(Profile, dump(found)) == found


def test_no_rows_have_a_profile_too() -> None:
    found = profiled((Field("n", "long"), Field("s")), n=[], s=[])
    assert (found.rows, found.columns[0].mean, found.columns[0].histogram) == (0, None, None)


def test_a_histogram_can_be_held_against_an_earlier_one() -> None:
    found = profiled((Field("n", "double"),), {"n": (0.0, 20.0)}, n=[-5.0, 0.5, 1.5, 99.0]).columns[0]
    assert found.histogram == Histogram(0.0, 20.0, (2, 1, *[0] * 17, 1))


def test_hundreds_of_columns_and_names_with_quotes_are_no_trouble() -> None:
    fields = tuple(Field(f'c"{n}', "long") for n in range(230))
    found = profiled(fields, **{field.name: [1, 2] for field in fields})
    assert [column.max for column in found.columns] == [2] * 230


def test_a_metric_that_does_not_fit_its_column_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no metric mean"):
        metric_sql("mean", Field("name"))


@requirement("DQ-12")
def test_a_sample_is_the_same_rows_in_every_pass_and_says_how_many() -> None:
    fields = (Field("n", "long"), Field("s"))
    data = pa.table({"n": pa.array(range(30_000)), "s": ["a"] * 30_000})

    def read(names: Any) -> Any:
        yield from data.select(list(names)).to_batches(max_chunksize=1000)

    found = profile(
        Scene(read, Books(produced=30_000), dt.datetime.now(dt.UTC), Settings("/nowhere"), fields), share=0.1
    )
    number, text = found.columns
    assert (found.share, 2700 < found.rows < 3300) == (0.1, True)
    assert number.histogram is not None
    assert sum(number.histogram.counts) == text.top[0].count == found.rows
    assert number.mean == pytest.approx(15_000, rel=0.05)
    assert found.metrics().keys() == {"null_share(n)", "null_share(s)", "mean(n)", "stddev(n)"}


def test_texts_that_sql_cannot_write_cost_no_profile() -> None:
    found = profiled((Field("s"), Field("n", "long")), s=["\0", "\0"], n=[1, 2])
    assert (found.columns[0].nulls, found.columns[0].top, found.columns[1].max) == (0, (), 2)
