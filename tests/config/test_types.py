from __future__ import annotations

from typing import Any

import pytest

from dativo_provider.config.shapes.asset import AssetField
from dativo_provider.config.shapes.contract import Property
from dativo_provider.config.types import BadType, column_type, named_type
from dativo_provider.model.types import check_type
from tests.support import requirement


def kind(**keys: Any) -> str:
    shape = Property(name="x", **keys)
    return check_type(column_type(shape, shape.logicalType))


@requirement("CFG-04", "CFG-08")
@pytest.mark.parametrize(
    ("logical", "physical", "expected"),
    [
        ("string", None, "string"), ("string", "varchar(18)", "string"), ("string", "bytea", "binary"),
        ("string", "jsonb", "string"), ("string", "int", "string"),
        ("integer", None, "long"), ("integer", "bigint", "long"), ("integer", "INT", "int"),
        ("integer", "smallint", "int"), ("integer", "int unsigned", "long"), ("integer", "numeric(20,0)", "decimal(20,0)"),  # noqa: E501
        ("integer", "bigint unsigned", "decimal(20,0)"), ("integer", "double", "long"), ("integer", "made_up", "long"),
        ("number", None, "double"), ("number", "decimal(10, 2)", "decimal(10,2)"), ("number", "NUMERIC(5)", "decimal(5,0)"),  # noqa: E501
        ("number", "real", "float"), ("number", "double precision", "double"), ("number", "float(24)", "float"),
        ("number", "float(53)", "double"), ("number", "numeric", "decimal(38,9)"), ("number", "decimal(99,2)", "double"),  # noqa: E501
        ("boolean", "bool", "boolean"), ("date", None, "date"), ("time", None, "time"),
        ("timestamp", None, "timestamptz"), ("timestamp", "timestamptz", "timestamptz"),
        ("timestamp", "timestamp", "timestamptz"), ("timestamp", "timestamp without time zone", "timestamp"),
        ("timestamp", "TIMESTAMP_NTZ", "timestamp"), ("timestamp", "timestamp(3) with time zone", "timestamptz"),
        ("date", "timestamp", "timestamptz"), ("array", None, "list<string>"), ("object", "json", "string"),
        ("map", None, "map<string,string>"),
        (None, None, "string"), (None, "uuid", "uuid"), (None, "double precision", "double"),
        (None, "character varying(20)", "string"), (None, "decimal(9,3)", "decimal(9,3)"), (None, "blob", "binary"),
    ],
)  # fmt: skip
def test_odcs_types_and_what_the_physical_type_refines(
    logical: str | None, physical: str | None, expected: str
) -> None:
    assert kind(logicalType=logical, physicalType=physical) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"logicalType": "timestamp", "logicalTypeOptions": {"timezone": False}}, "timestamp"),
        (
            {"logicalType": "timestamp", "physicalType": "timestamp_ntz", "logicalTypeOptions": {"timezone": True}},
            "timestamptz",
        ),
        ({"logicalType": "date", "logicalTypeOptions": {"format": "yyyy-MM-dd"}}, "date"),
        ({"logicalType": "date", "logicalTypeOptions": {"format": "yyyy-MM-dd HH:mm:ss"}}, "timestamptz"),
        ({"logicalType": "date", "logicalTypeOptions": {"format": "yyyy-MM-dd'Hours'"}}, "date"),
        ({"logicalType": "integer", "logicalTypeOptions": {"format": "i32"}}, "int"),
        ({"logicalType": "integer", "physicalType": "int", "logicalTypeOptions": {"format": "i64"}}, "long"),
        ({"logicalType": "number", "logicalTypeOptions": {"format": "f32"}}, "float"),
        ({"logicalType": "vector", "logicalTypeOptions": {"dimensions": 3}}, "list<float>"),
        (
            {"logicalType": "vector", "logicalTypeOptions": {"dimensions": 3, "elementType": "float64"}},
            "list<double>",
        ),
        ({"logicalType": "array", "items": {"logicalType": "integer"}}, "list<long>"),
        ({"items": {"physicalType": "date"}}, "list<date>"),
        (
            {"logicalType": "object", "properties": [
                {"name": "id", "logicalType": "integer"},
                {"name": "tags", "logicalType": "array", "items": {"logicalType": "object", "properties": [
                    {"name": "k"}, {"name": "v", "physicalType": "decimal(4,1)"}]}},
            ]},
            "struct<id:long,tags:list<struct<k:string,v:decimal(4,1)>>>",
        ),
        (
            {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": {"logicalType": "number"}}},
            "map<string,double>",
        ),
    ],
)  # fmt: skip
def test_options_and_nested_types(keys: dict[str, Any], expected: str) -> None:
    assert kind(**keys) == expected


@requirement("REG-10")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("string", "string"), ("integer", "long"), ("bigint", "long"), ("float", "double"), ("double", "double"),
        ("boolean", "boolean"), ("date", "date"), ("timestamp", "timestamptz"), ("datetime", "timestamptz"),
        ("array", "list<string>"), ("decimal(18,2)", "decimal(18,2)"), ("TEXT", "string"), ("uuid", "uuid"),
        ("timestamptz", "timestamptz"), ("object", "string"),
    ],
)  # fmt: skip
def test_older_asset_types_and_bigint_stays_64_bits(name: str, expected: str) -> None:
    assert column_type(AssetField(name="x", type=name), name) == expected


@pytest.mark.parametrize(
    ("keys", "declared", "path", "said"),
    [
        ({}, "strng", (), "Did you mean 'string'?"),
        ({}, "decimal(50,2)", (), "is not a type"),
        ({"physicalType": "frob"}, None, ("physicalType",), "is not a physical type"),
        ({"properties": [{"name": "a:b"}]}, "object", ("properties", 0), "cannot name a part"),
        ({"items": {"physicalType": "frob"}}, "array", ("items", "physicalType"), "is not a physical type"),
    ],
)
def test_an_unknown_type_says_where_and_what_it_could_be(
    keys: dict[str, Any], declared: str | None, path: tuple[str | int, ...], said: str
) -> None:
    with pytest.raises(BadType) as caught:
        column_type(Property(name="x", **keys), declared)
    assert caught.value.path == path
    assert said in f"{caught.value.message} {caught.value.remedy}"


def test_types_named_by_one_word() -> None:
    assert [named_type(word) for word in ("bigint", "Decimal(4,2)", "datetime", "float", "nothing")] == [
        "long", "decimal(4,2)", "timestamptz", "double", None,
    ]  # fmt: skip
