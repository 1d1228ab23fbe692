"""Partition values as the Iceberg specification and other engines compute them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import VoidTransform

from dativo_provider.errors import ConfigurationError, InternalError
from dativo_provider.lake.partition import from_json, iceberg_spec, parse_transform, same_spec, to_json
from dativo_provider.lake.schema import iceberg_schema
from dativo_provider.lake.splitter import Splitter
from dativo_provider.model import job
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))


def spec_of(kind: str, *transforms: str) -> tuple[PartitionSpec, Schema]:
    schema = iceberg_schema([Field("c", kind)])
    return iceberg_spec([job.PartitionSpec("c", name) for name in transforms], schema, "t"), schema


def split(kind: str, transform: str, values: list[Any], as_dictionary: bool = False) -> list[Any]:
    """The partition value of each row."""
    spec, schema = spec_of(kind, transform)
    column = pa.array(values, to_arrow(kind))
    table = pa.table({"c": column.dictionary_encode() if as_dictionary else column, "row": range(len(values))})
    found: dict[int, Any] = {}
    for (value,), rows in Splitter(spec, schema).split(table):
        for row in rows["row"].to_pylist():
            assert row not in found
            found[row] = value
    return [found[row] for row in range(len(values))]


# The specification's own test values: https://iceberg.apache.org/spec/#appendix-b-32-bit-hash-requirements
@pytest.mark.parametrize(
    ("kind", "value", "hashed"),
    [
        ("int", 34, 2017239379),
        ("long", 34, 2017239379),
        ("date", date(2017, 11, 16), -653330422),
        ("time", datetime(1, 1, 1, 22, 31, 8).time(), -662762989),
        ("timestamp", datetime(2017, 11, 16, 22, 31, 8), -2047944441),
        ("timestamptz", datetime(2017, 11, 16, 22, 31, 8, tzinfo=UTC), -2047944441),
        ("string", "iceberg", 1210000089),
        ("binary", b"\x00\x01\x02\x03", -188683207),
    ],
)
def test_buckets_are_the_specifications(kind: str, value: Any, hashed: int) -> None:
    for buckets in (2, 16, 1000):
        assert split(kind, f"bucket[{buckets}]", [value, None]) == [(hashed & 0x7FFFFFFF) % buckets, None]


@pytest.mark.parametrize(
    ("kind", "transform", "value", "expected"),
    [
        ("int", "truncate[10]", 1, 0), ("int", "truncate[10]", -1, -10), ("long", "truncate[10]", -11, -20),
        ("decimal(9,2)", "truncate[50]", Decimal("10.65"), Decimal("10.50")),
        ("string", "truncate[3]", "iceberg", "ice"), ("string", "truncate[2]", "é漢字", "é漢"),
        ("string", "truncate[2]", "", ""),
        ("date", "year", date(1969, 12, 31), -1), ("date", "month", date(1969, 12, 31), -1),
        ("date", "day", date(1969, 12, 31), -1), ("date", "month", date(2017, 12, 1), 575),
        ("timestamp", "hour", datetime(1969, 12, 31, 23, 59, 59, 999999), -1),
        ("timestamp", "hour", datetime(2017, 12, 1, 10, 12, 55), 420034),
        ("timestamptz", "day", datetime(2017, 12, 1, 10, 12, 55, tzinfo=UTC), 17501),
        ("timestamptz", "year", datetime(2017, 12, 1, 10, 12, 55, tzinfo=UTC), 47),
        ("boolean", "identity", True, True), ("long", "identity", 2**53 + 1, 2**53 + 1),
        ("date", "identity", date(1970, 1, 3), 2), ("binary", "identity", b"\xff", b"\xff"),
        ("decimal(9,2)", "identity", Decimal("-1.28"), Decimal("-1.28")),
        ("timestamp", "identity", datetime(1970, 1, 1, 0, 0, 1), 1_000_000),
    ],
)  # fmt: skip
def test_known_values(kind: str, transform: str, value: Any, expected: Any) -> None:
    assert split(kind, transform, [value, None]) == [expected, None]


VALUES: dict[str, tuple[st.SearchStrategy[Any], list[str]]] = {
    "int": (st.integers(-(2**31) + 1000, 2**31 - 1), ["identity", "bucket", "truncate"]),
    "long": (st.integers(-(2**63) + 1000, 2**63 - 1), ["identity", "bucket", "truncate"]),
    "decimal(9,2)": (st.decimals(-1_000_000, 1_000_000, places=2), ["identity", "truncate"]),
    "decimal(38,0)": (st.integers(-(10**37), 10**37).map(Decimal), ["identity", "truncate"]),
    "date": (st.dates(), ["identity", "year", "month", "day", "bucket"]),
    "time": (st.times(), ["identity", "bucket"]),
    "timestamp": (MOMENTS, ["identity", "year", "month", "day", "hour", "bucket"]),
    "timestamptz": (MOMENTS.map(lambda at: at.replace(tzinfo=UTC)), ["year", "month", "day", "hour", "bucket"]),
    "string": (st.text(st.characters(exclude_categories=["Cs"])), ["identity", "bucket", "truncate"]),
    "uuid": (st.uuids().map(str), ["identity", "bucket", "truncate"]),
    "binary": (st.binary(), ["identity", "bucket", "truncate"]),
    "boolean": (st.booleans(), ["identity"]),
}


@st.composite
def columns(draw: st.DrawFn) -> tuple[str, str, list[Any]]:
    """A type, a transform that fits it, and values: few of them many times, and nulls."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    values, transforms = VALUES[kind]
    transform = draw(st.sampled_from(transforms))
    if transform in ("bucket", "truncate"):
        transform += f"[{draw(st.integers(1, 1000) if transform == 'truncate' else st.integers(1, 2**31 - 1))}]"
    return kind, transform, draw(st.lists(st.none() | values, min_size=1))


def counted(value: Any) -> Any:
    """As Iceberg has it: days or microseconds since 1970."""
    if isinstance(value, datetime):
        return pa.scalar(value).cast(pa.timestamp("us")).value
    if isinstance(value, date):
        return pa.scalar(value).value
    return pa.scalar(value).cast(pa.time64("us")).value if isinstance(value, time) else value


@given(columns(), st.booleans())
@example(("string", "bucket[7]", ["a\x00b", "a", "", None, "é漢字🏔"]), True)
@example(("long", "bucket[2147483647]", [0, -1, 2**63 - 1, -(2**63)]), False)
def test_every_transform_agrees_with_pyiceberg_value_by_value(
    column: tuple[str, str, list[Any]], as_dictionary: bool
) -> None:
    kind, transform, values = column
    _, schema = spec_of(kind, transform)
    apply = parse_transform(transform).transform(schema.find_type("c"))
    assert split(kind, transform, values, as_dictionary) == [apply(counted(value)) for value in values]


@pytest.mark.parametrize(("kind", "least"), [("int", -(2**31)), ("long", -(2**63))])
def test_what_truncation_takes_below_the_type_wraps_around_as_in_java(kind: str, least: int) -> None:
    assert split(kind, "truncate[10]", [least]) == [-least - least % 10]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3, 3) | st.none()), min_size=1, max_size=50))
def test_every_row_lands_in_the_one_partition_of_its_values(rows: list[tuple[str, int | None]]) -> None:
    schema = iceberg_schema([Field("s", "string"), Field("n", "long")])
    spec = iceberg_spec([job.PartitionSpec("s"), job.PartitionSpec("n")], schema, "t")
    table = pa.table({"s": [s for s, _ in rows], "n": pa.array([n for _, n in rows], pa.int64())})
    table = table.append_column("row", pa.array(range(len(rows))))
    seen: list[int] = []
    keys = []
    for key, part in Splitter(spec, schema).split(table):
        keys.append(key)
        assert {(s, n) for s, n in zip(part["s"].to_pylist(), part["n"].to_pylist(), strict=True)} == {key}
        assert part["row"].to_pylist() == sorted(part["row"].to_pylist())
        seen += part["row"].to_pylist()
        assert from_json(to_json(key, spec), spec, schema) == list(key)
    assert sorted(seen) == list(range(len(rows)))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("kind", ["decimal(9,2)", "double", "float", "boolean"])
def test_buckets_that_engines_disagree_on_are_refused(kind: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot partition by 'c'"):
        spec_of(kind, "bucket[4]")


@pytest.mark.parametrize(
    ("kind", "transform"), [("string", "day"), ("date", "hour"), ("double", "identity"), ("list<int>", "identity")]
)
def test_transforms_that_do_not_fit_are_refused(kind: str, transform: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot partition"):
        spec_of(kind, transform)


@pytest.mark.parametrize(
    "transform", ["bucket", "bucket[0]", "bucket[-1]", "bucket[2147483648]", "weekday", "truncate[x]", ""]
)
def test_unknown_transforms_name_the_known_ones(transform: str) -> None:
    with pytest.raises(ConfigurationError, match=r"bucket\[N\]"):
        parse_transform(transform)


def test_a_missing_column_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="has: c"):
        iceberg_spec([job.PartitionSpec("d")], iceberg_schema([Field("c")]), "t")


def test_names_follow_other_engines() -> None:
    spec, _ = spec_of("timestamp", "identity", "day", "bucket[3]")
    assert [field.name for field in spec.fields] == ["c", "c_day", "c_bucket"]


def test_a_dropped_partition_field_does_not_count() -> None:
    spec, _ = spec_of("long", "identity")
    void = PartitionField(source_id=1, field_id=1001, transform=VoidTransform(), name="old")
    assert same_spec(spec, PartitionSpec(*spec.fields, void))
    assert not same_spec(spec, spec_of("long", "bucket[2]")[0])


def test_values_of_another_spec_are_a_bug_that_is_caught() -> None:
    spec, schema = spec_of("long", "identity")
    with pytest.raises(InternalError):
        from_json({"other": 1}, spec, schema)


def test_values_survive_json() -> None:
    for kind, value in [
        ("binary", b"\x00\xff"),
        ("decimal(9,2)", Decimal("-1.28")),
        ("string", None),
        ("boolean", False),
    ]:
        spec, schema = spec_of(kind, "identity")
        assert from_json(to_json((value,), spec), spec, schema) == [value]
